// Serves the model of train.js: how likely a flower is of each species, from up to four measures of it.
// A measure that is null, or a column that is left out, counts as the mean of all flowers.

const { createServer } = require("node:http");
const { readFileSync } = require("node:fs");

const { PORT, URL_PREFIX, CODE_DIR, CLASS_LABELS } = process.env;
const MODEL = JSON.parse(readFileSync(`${CODE_DIR}/model.json`, "utf8"));
const SPECIES = Object.keys(MODEL.means);

class BadData extends Error {}

/** One probability a species for each row of `given`, columns by name. Throws BadData for anything else. */
function predict(given) {
  if (typeof given !== "object" || given === null) throw new BadData("X must be an object of columns");
  const names = Object.keys(given);
  const unknown = names.filter((name) => !MODEL.columns.includes(name));
  if (unknown.length) throw new BadData(`unknown columns: ${unknown.join(", ")}`);
  const rows = given[names[0]]?.length;
  if (!rows || names.some((name) => !Array.isArray(given[name]) || given[name].length !== rows)) {
    throw new BadData("at least one column is needed, and all of one length, at least one row");
  }
  const flower = (row) => MODEL.columns.map((name, at) => measure(given[name]?.[row], at));
  return Array.from({ length: rows }, (_, row) => classify(flower(row)));
}

function measure(value, at) {
  if (value === null || value === undefined) return MODEL.usual[at];
  if (typeof value !== "number" || Math.abs(value) > 1000) {
    throw new BadData(`${JSON.stringify(value)} is no measure in cm`);
  }
  return value;
}

/** Softmax over the species of minus half the squared distance to its mean, each measure in its own deviations. */
function classify(flower) {
  const squared = (mean, at) => ((flower[at] - mean) / MODEL.deviations[at]) ** 2;
  const closeness = SPECIES.map((name) => -MODEL.means[name].map(squared).reduce((sum, one) => sum + one) / 2);
  const closest = Math.max(...closeness);
  const weights = closeness.map((value) => Math.exp(value - closest));
  const total = weights.reduce((sum, weight) => sum + weight);
  return Object.fromEntries(SPECIES.map((name, at) => [name, weights[at] / total]));
}

function answer(response, status, content) {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(content && JSON.stringify(content));
}

async function handle(request, response) {
  if (request.method === "GET" && request.url === `${URL_PREFIX}/`) return answer(response, 200);
  const asked = request.method === "POST" && request.url === `${URL_PREFIX}/predict_no_state/`;
  if (!asked) return answer(response, 404);
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  try {
    answer(response, 200, { predictions: predict(JSON.parse(Buffer.concat(chunks).toString()).X) });
  } catch (error) {
    if (!(error instanceof BadData || error instanceof SyntaxError || error instanceof TypeError)) throw error;
    answer(response, 400, { error: error.message });
  }
}

if (JSON.parse(CLASS_LABELS).sort().join() !== [...SPECIES].sort().join()) {
  console.error(`The model was trained for ${SPECIES}, but the CustomModel says ${CLASS_LABELS}.`);
  process.exit(1);
}
const server = createServer((request, response) => handle(request, response).catch(() => response.destroy()));
// Node leaves it to the program to end when it is told to; requests that are being answered are finished.
process.on("SIGTERM", () => server.close(() => process.exit(0)));
server.listen(Number(PORT));
