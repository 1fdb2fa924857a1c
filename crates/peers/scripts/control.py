"""The control plane of FakeGlobus."""

import json
import os
import urllib.request

URL = os.environ["GLOBUS_SDK_SERVICE_URL_AUTH"] + "_fake/"


def fake(command, **fields):
    """Sends a command; returns the answer."""
    request = urllib.request.Request(URL + command, json.dumps(fields).encode())
    return json.load(urllib.request.urlopen(request))
