// Trains the model: node train.js < iris.csv > code/model.json
//
// The data is R. A. Fisher's of 1936: four measures, in cm, of fifty flowers of each of three species. The model is
// the mean of each species, and how far flowers of one species are usually from its mean, measure by measure.

const [header, ...lines] = require("node:fs").readFileSync(0, "utf8").trim().split("\n");
const columns = header.split(",").slice(0, -1);
const flowers = lines.map((line) => {
  const cells = line.split(",");
  return { measures: cells.slice(0, -1).map(Number), species: cells.at(-1) };
});

const rounded = (value) => Number(value.toFixed(6));
const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const meansOf = (some) => columns.map((_, at) => meanOf(some.map((flower) => flower.measures[at])));

const species = [...new Set(flowers.map((flower) => flower.species))];
const means = Object.fromEntries(
  species.map((name) => [name, meansOf(flowers.filter((flower) => flower.species === name))]),
);
const deviations = columns.map((_, at) =>
  Math.sqrt(meanOf(flowers.map((flower) => (flower.measures[at] - means[flower.species][at]) ** 2))),
);

const model = {
  columns,
  usual: meansOf(flowers).map(rounded),
  deviations: deviations.map(rounded),
  means: Object.fromEntries(species.map((name) => [name, means[name].map(rounded)])),
};
console.log(JSON.stringify(model));
