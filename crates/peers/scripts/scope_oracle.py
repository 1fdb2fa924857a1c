"""Prints how globus_sdk.scopes parses and merges scope strings.

Reads JSON lines, each a list of scope strings. Prints a JSON line for each: the merged scopes as
sorted lists [name, optional, dependencies], or null if the SDK rejects a string or their union.
"""

import json
import sys

from globus_sdk.scopes import ScopeParseError, ScopeParser


def tree(scope):
    return [scope.scope_string, scope.optional, sorted(map(tree, scope.dependencies))]


def merged(texts):
    try:
        scopes = []
        for text in texts:
            scopes = ScopeParser.merge_scopes(scopes, ScopeParser.parse(text))
    except ScopeParseError:
        return None
    return sorted(map(tree, scopes))


for line in sys.stdin:
    print(json.dumps(merged(json.loads(line))))
