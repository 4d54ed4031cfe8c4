"""Ask a model for predictions: predict.py ADDRESS < JSON. Needs nothing but Python, so any pod can run it.

The question comes by standard input: so `kubectl run --stdin` is attached before there is an answer to print. What a
pod prints sooner may be lost.
Network rules for a new pod take effect with a delay of up to a second or so; until then, calls are refused.
Hence the tries.
"""

import sys
import time
import urllib.error
import urllib.request

address, data = sys.argv[1], sys.stdin.read()
request = urllib.request.Request(
    address + "/predict_no_state/", data.encode(), headers={"Content-Type": "application/json"}
)
for remaining in range(20, -1, -1):
    try:
        print(urllib.request.urlopen(request, timeout=10).read().decode())
        break
    except urllib.error.HTTPError as error:
        sys.exit(f"{error}: {error.read().decode()}")
    except OSError as error:
        if not remaining:
            sys.exit(f"{address} does not answer: {error}")
        time.sleep(0.5)
