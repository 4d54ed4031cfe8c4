"""Serves the model of train.py: whether a tumour is malignant or benign, from up to 30 measures of it.

A measure that is null, or a column that is left out, is imputed by the model itself.
"""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import joblib
import numpy

PREFIX = os.environ["URL_PREFIX"]
TRAINED = joblib.load("/opt/breast-cancer/model.joblib")
MODEL, COLUMNS = TRAINED["model"], TRAINED["columns"]
CLASSES = MODEL.classes_.tolist()


def predict(given):
    """One probability a class for each row of `given`, columns by name. Raises ValueError for any other data."""
    if unknown := given.keys() - set(COLUMNS):
        raise ValueError(f"unknown columns: {', '.join(sorted(unknown))}")
    if len(lengths := {len(values) for values in given.values()}) != 1 or lengths == {0}:
        raise ValueError("at least one column is needed, and all of one length, at least one row")
    missing = [None] * lengths.pop()
    # None becomes NaN here, which is what the imputer looks for.
    rows = numpy.array([given.get(name, missing) for name in COLUMNS], dtype=float).T
    return [dict(zip(CLASSES, row, strict=True)) for row in MODEL.predict_proba(rows).tolist()]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # An answer leaves as a whole: its body would wait until its head was acknowledged.

    def do_GET(self):
        self.answer(200 if self.path == PREFIX + "/" else 404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != PREFIX + "/predict_no_state/":
            return self.answer(404)
        try:
            predictions = predict(json.loads(body)["X"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            return self.answer(400, {"error": repr(error)})
        self.answer(200, {"predictions": predictions})

    def answer(self, status, content=None):
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


told = {os.environ["POSITIVE_CLASS_LABEL"], os.environ["NEGATIVE_CLASS_LABEL"]}
if told != set(CLASSES):
    sys.exit(f"The model was trained for {CLASSES}, but the CustomModel says {sorted(told)}.")
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
