// What the model predicts: for each row a probability for each label; together they are 1.

const LABELS = JSON.parse(process.env.CLASS_LABELS);

/** How dear a flat is: each label stands for a step of price. A row has null where a value is missing. */
function predict(row) {
  const weights = LABELS.map((_, step) => Math.exp(-(((price(row) - 100000 - 150000 * step) / 100000) ** 2)));
  const total = weights.reduce((sum, weight) => sum + weight);
  return Object.fromEntries(LABELS.map((label, at) => [label, weights[at] / total]));
}

/** Of a flat. A missing value counts as a usual one. */
function price({ area, rooms, district }) {
  return 20000 + 3000 * (area ?? 60) + 8000 * (rooms ?? 2) + (district === "north" ? 15000 : 0);
}

module.exports = { predict };
