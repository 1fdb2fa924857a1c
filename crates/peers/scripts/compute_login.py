"""The SDK of Globus Compute with its own stored login. Arguments: the steps, in order.

login    logs in, even if there are tokens
token    prints the access token for Globus Compute; must not log in
"""

import sys

import globus_sdk
from globus_compute_sdk.sdk.auth.auth_client import ComputeAuthClient
from globus_compute_sdk.sdk.auth.globus_app import get_globus_app
from globus_sdk.login_flows import LoginFlowManager

from scripted_login import code_from


class ScriptedLogin(LoginFlowManager):
    logins = 0

    def run_login_flow(self, auth_parameters):
        self.logins += 1
        url = self._get_authorize_url(auth_parameters, self.login_client.base_url + "v2/web/auth-code")
        return self.login_client.oauth2_exchange_code_for_tokens(code_from(url))


app = get_globus_app()
clients = [globus_sdk.ComputeClientV3(app=app), ComputeAuthClient(app=app)]
is_person = isinstance(app, globus_sdk.UserApp)
if is_person:
    # The default prompt of the SDK needs a terminal.
    app._login_flow_manager = ScriptedLogin(app._login_client, request_refresh_tokens=True)
allowed = 0
for word in sys.argv[1:]:
    match word:
        case "login":
            allowed += 1
            app.login(force=True)
        case "token":
            authorizer = app.get_authorizer("funcx_service")
            print(authorizer.get_authorization_header().removeprefix("Bearer "))
if is_person:
    assert app._login_flow_manager.logins == allowed, "an unexpected login"
