// The HTTP side of the model, of Node.js alone; what it predicts is in model.js.

const { createServer } = require("node:http");
const { predict } = require("./model.js");

const { PORT, URL_PREFIX } = process.env;

class BadData extends Error {}

function rowsOf(columns) {
  if (typeof columns !== "object" || columns === null) throw new BadData("X must be an object of columns");
  const names = Object.keys(columns);
  const lengths = new Set(names.map((name) => (Array.isArray(columns[name]) ? columns[name].length : -1)));
  if (lengths.size !== 1 || lengths.has(-1)) throw new BadData("all columns must be lists of one length");
  const [length] = lengths;
  return Array.from({ length }, (_, at) => Object.fromEntries(names.map((name) => [name, columns[name][at]])));
}

function answer(response, status, content) {
  const body = content === undefined ? "" : JSON.stringify(content);
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}

async function handle(request, response) {
  if (request.method === "GET" && request.url === `${URL_PREFIX}/`) return answer(response, 200);
  if (request.method !== "POST" || request.url !== `${URL_PREFIX}/predict_no_state/`) return answer(response, 404);
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  try {
    const { X } = JSON.parse(Buffer.concat(chunks).toString());
    answer(response, 200, { predictions: rowsOf(X).map(predict) });
  } catch (error) {
    if (!(error instanceof BadData || error instanceof SyntaxError)) throw error;
    answer(response, 400, { error: error.message });
  }
}

function serve(request, response) {
  handle(request, response).catch((error) => {
    console.error(error);
    if (!response.headersSent) answer(response, 500, { error: "the server failed; its log says why" });
  });
}

// In a pod a process without a handler of its own is deaf to SIGTERM.
process.on("SIGTERM", () => process.exit(0));
createServer(serve).listen(Number(PORT));
