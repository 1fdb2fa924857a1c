"""Prints the test fixtures of the official SDK, each a line of JSON."""

import importlib
import json
import pkgutil

import globus_sdk.testing.data as data
from globus_sdk.testing.models import ResponseList, ResponseSet

for module in pkgutil.walk_packages(data.__path__, data.__name__ + "."):
    responses = getattr(importlib.import_module(module.name), "RESPONSES", None)
    if not isinstance(responses, ResponseSet):
        continue
    for case in responses.cases():
        found = responses.lookup(case)
        for response in found.responses if isinstance(found, ResponseList) else [found]:
            print(
                json.dumps(
                    {
                        "name": module.name.removeprefix(data.__name__ + ".") + ":" + case,
                        "service": response.service,
                        "method": response.method,
                        "path": response.path,
                        "status": response.status,
                        "metadata": response.metadata,
                        "json": response.json,
                    },
                    default=str,
                )
            )
