"""A UserApp of the official Python SDK with its JSON token file.

Arguments: the name of the app, then the steps, in order.

login              logs in, even if there are tokens
anew               logs in with a new session
list COLLECTION    prints the names in a collection; must not log in
whoami             prints the username; must not log in
logout             revokes and removes the tokens
"""

import os
import sys

import globus_sdk
from globus_sdk.gare import GlobusAuthorizationParameters
from globus_sdk.globus_app import GlobusAppConfig, UserApp
from globus_sdk.login_flows import LoginFlowManager
from globus_sdk.scopes import AuthScopes

from scripted_login import code_from


class ScriptedLogin(LoginFlowManager):
    logins = 0

    def run_login_flow(self, auth_parameters):
        self.logins += 1
        url = self._get_authorize_url(auth_parameters, self.login_client.base_url + "v2/web/auth-code")
        return self.login_client.oauth2_exchange_code_for_tokens(code_from(url))

    @classmethod
    def for_globus_app(cls, app_name, login_client, config):
        return cls(login_client, request_refresh_tokens=config.request_refresh_tokens)


name, *words = sys.argv[1:]
config = GlobusAppConfig(login_flow_manager=ScriptedLogin, token_storage="json", request_refresh_tokens=True)
app = UserApp(name, client_id=os.environ["GLOBUS_CLIENT_ID"], config=config)
transfer = globus_sdk.TransferClient(app=app)
auth = globus_sdk.AuthClient(app=app, app_scopes=[AuthScopes.openid, AuthScopes.profile, AuthScopes.email])
allowed = 0
while words:
    match words.pop(0):
        case "login":
            allowed += 1
            app.login(force=True)
        case "anew":
            allowed += 1
            app.login(auth_params=GlobusAuthorizationParameters(prompt="login"), force=True)
        case "list":
            print(*[entry["name"] for entry in transfer.operation_ls(words.pop(0))])
        case "whoami":
            print(auth.userinfo()["preferred_username"])
        case "logout":
            app.logout(sweep=True)
assert app._login_flow_manager.logins == allowed, "an unexpected login"
