"""Prints the authorization URLs that globus_sdk builds.

Reads JSON lines {client_id, secret, redirect_uri, refresh_tokens, label, scopes, asked}. Prints a
JSON line for each: the URL without its query, and the pairs of the query.
"""

import json
import sys
import urllib.parse

import globus_sdk
from globus_sdk.gare import GlobusAuthorizationParameters
from globus_sdk.login_flows import LoginFlowManager
from globus_sdk.scopes import ScopeParser


class UrlOnly(LoginFlowManager):
    def run_login_flow(self, auth_parameters):
        raise NotImplementedError


def url(question):
    if question["secret"]:
        client = globus_sdk.ConfidentialAppAuthClient(question["client_id"], question["secret"])
    else:
        client = globus_sdk.NativeAppAuthClient(question["client_id"])
    manager = UrlOnly(
        client,
        request_refresh_tokens=question["refresh_tokens"],
        native_prefill_named_grant=question["label"],
    )
    asked = GlobusAuthorizationParameters(**question["asked"])
    # GlobusApp requests the scopes of the app and the required scopes.
    scopes = ScopeParser.parse(question["scopes"])
    for scope in asked.required_scopes or []:
        scopes = ScopeParser.merge_scopes(scopes, ScopeParser.parse(scope))
    asked.required_scopes = [str(scope) for scope in scopes]
    return manager._get_authorize_url(asked, question["redirect_uri"])


for line in sys.stdin:
    base, query = url(json.loads(line)).split("?", 1)
    print(json.dumps({"base": base, "query": urllib.parse.parse_qsl(query, keep_blank_values=True)}))
