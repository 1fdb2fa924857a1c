"""Prints which GAREs globus_sdk finds in error bodies.

Reads JSON lines, each a body as a JSON string. Prints a JSON line for each: the list of GAREs that
`globus_sdk.gare.to_gares` finds in a response with that body, or null if the body is not a JSON
object or the SDK crashes.
"""

import json
import math
import re
import sys
import urllib.parse

import globus_sdk
import requests
from globus_sdk.exc import GlobusAPIError, ValidationError
from globus_sdk.gare import GARE, GlobusAuthorizationParameters, to_gares
from globus_sdk.gare._variants import LegacyAuthorizationParametersError
from globus_sdk.login_flows import LoginFlowManager

FIELDS = GlobusAuthorizationParameters._supported_fields()
CLIENT = globus_sdk.NativeAppAuthClient("00000000-0000-0000-0000-000000000000")


class UrlOnly(LoginFlowManager):
    def run_login_flow(self, auth_parameters):
        raise NotImplementedError


MANAGER = UrlOnly(CLIENT)


def api_error(body):
    response = requests.Response()
    response.status_code = 403
    response.headers["Content-Type"] = "application/json"
    response._content = body.encode()
    response.url = "https://transfer.api.globus.org/"
    response.request = requests.Request("GET", response.url).prepare()
    return GlobusAPIError(response)


def is_consent(doc):
    """Whether the document is a consent error: no variant with `authorization_parameters` accepts it."""
    for variant in (GARE, LegacyAuthorizationParametersError):
        try:
            variant.from_dict(doc)
            return False
        except ValidationError:
            pass
    return True


def unapproved(doc):
    """The scopes of all entries. The SDK reads the first entry only."""
    errors = doc.get("errors")
    if doc.get("error") != "dependent_consent_required" or not isinstance(errors, list):
        return []
    lists = [e.get("unapproved_scopes") for e in errors if isinstance(e, dict)]
    lists = [scopes for scopes in lists if isinstance(scopes, list) and all(isinstance(s, str) for s in scopes)]
    return [scope for scopes in lists for scope in scopes]


def documents(root):
    """The documents that to_gares reads, in its order."""
    errors = root.get("errors")
    in_array = isinstance(errors, list) and all(isinstance(e, dict) for e in errors)
    yield from errors if in_array else [root]
    if "errors" in root:
        yield root


def query(params):
    asked = GlobusAuthorizationParameters(**{**{name: getattr(params, name) for name in FIELDS},
                                             "required_scopes": ["openid"]})
    try:
        url = MANAGER._get_authorize_url(asked, "https://example.org/")
    except UnicodeEncodeError:  # a lone surrogate
        return None
    pairs = urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query, keep_blank_values=True)
    return [pair for pair in pairs if pair[0] in FIELDS]


def clean(value):
    """Replaces what JSON cannot express, as our parser does: NaN by null, a lone surrogate by U+FFFD."""
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, dict):
        return {clean(name): clean(item) for name, item in value.items()}
    return value


def answer(body):
    try:
        error = api_error(body)
        gares = to_gares([error])
    except (IndexError, RecursionError):
        return None
    if not isinstance(error.raw_json, dict):
        return None
    accepted = [doc for doc in documents(error.raw_json) if globus_sdk.gare.is_gare(doc)]
    assert len(accepted) == len(gares)
    return [
        {
            "code": gare.code,
            "fields": {name: getattr(gare.authorization_parameters, name) for name in FIELDS},
            "params_extra": gare.authorization_parameters.extra,
            "extra": gare.extra,
            "consent": is_consent(doc),
            "unapproved": unapproved(doc),
            "query": query(gare.authorization_parameters),
        }
        for doc, gare in zip(accepted, gares)
    ]


for line in sys.stdin:
    print(json.dumps(clean(answer(json.loads(line)))))
