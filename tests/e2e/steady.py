"""A program that asks the gateway at a steady rate, over a connection that it keeps as long as it is kept.

No request is sent twice: one whose connection breaks is lost, whoever had told to end it or had not.
"""

from __future__ import annotations

STEADY = """
import http.client, itertools, json, os, sys, time

host, path, rate, seconds = sys.argv[1], sys.argv[2], 50.0, 240.0
tensor = {"name": "id", "shape": [1], "datatype": "BYTES", "data": ["load"]}
body = json.dumps({"inputs": [tensor]})
connection = http.client.HTTPConnection(host, timeout=10)

def ask(path):
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = json.loads(answer.read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        connection.close()  # the next request makes another
        return [0, "", repr(error)]
    if answer.status != 200:
        return [answer.status, "", content["error"]]
    (output,) = content["outputs"]
    return [200, content["model_version"], str(output["data"][0])]

begun = time.time()
while ask(path)[0] != 200 and time.time() < begun + seconds:  # network rules take effect with a delay
    time.sleep(0.2)
begun = time.time()
for number in itertools.count():
    time.sleep(max(0.0, begun + number / rate - time.time()))
    if os.path.exists("/tmp/stop") or time.time() > begun + seconds:
        break
    print(json.dumps(ask(path)), flush=True)
"""
"""Takes the host (and port) and the path; prints [status or 0, version, prediction or error] of each request."""
