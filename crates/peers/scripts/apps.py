"""Applications of the official SDK whose logins a script completes."""

import os

from globus_sdk.globus_app import GlobusAppConfig, UserApp
from globus_sdk.login_flows import LoginFlowManager
from globus_sdk.token_storage import MemoryTokenStorage

from scripted_login import code_from


class ScriptedLogin(LoginFlowManager):
    """Completes each login link that the SDK makes, and counts the logins."""

    logins = 0

    def run_login_flow(self, auth_parameters):
        self.logins += 1
        redirect_uri = self.login_client.base_url + "v2/web/auth-code"
        url = self._get_authorize_url(auth_parameters, redirect_uri)
        return self.login_client.oauth2_exchange_code_for_tokens(code_from(url))

    @classmethod
    def for_globus_app(cls, app_name, login_client, config):
        return cls(login_client, request_refresh_tokens=config.request_refresh_tokens)


def user_app(**settings):
    config = GlobusAppConfig(
        login_flow_manager=ScriptedLogin,
        token_storage=MemoryTokenStorage(),
        **settings,
    )
    return UserApp("peer", client_id=os.environ["GLOBUS_CLIENT_ID"], config=config)
