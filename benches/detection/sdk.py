"""Prints the seconds that the Python SDK needs to find a GARE, for each file that is named."""

import json
import re
import sys
import timeit

from globus_sdk.gare import to_gare

# The SDK does not read the GridFTP replies that Transfer quotes.
REPLY = re.compile(r"GridFTP-JSON-Result: (\{.*?\})(?:\\r\\n|\r?\n)")


def find(body):
    document = json.loads(body)
    gare = to_gare(document)
    if gare is None:
        reply = REPLY.search(document.get("message", ""))
        if reply:
            gare = to_gare(json.loads(reply[1]))
    return gare


for path in sys.argv[1:]:
    with open(path, "rb") as file:
        body = file.read()
    assert find(body) is not None, path
    timer = timeit.Timer(lambda: find(body))
    runs = timer.autorange()[0]
    print(sorted(timer.repeat(15, runs))[7] / runs)
