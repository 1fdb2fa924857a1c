"""The unchanged Python SDK against FakeGlobus. Arguments: the ids of the collections."""

import os
import sys

import globus_sdk
import globus_sdk.gare
from globus_sdk.globus_app import ClientApp, GlobusAppConfig
from globus_sdk.token_storage import MemoryTokenStorage

from apps import user_app
from scripted_login import tell

plain, embedded, policy, data_access = sys.argv[1:]


def listing_error(transfer, collection):
    try:
        transfer.operation_ls(collection)
    except globus_sdk.TransferAPIError as error:
        return error
    raise SystemExit("the listing succeeded instead of failing")


# Listings. The SDK checks its login: ID token, scopes, consents.
app = user_app()
transfer = globus_sdk.TransferClient(app=app)
listing = transfer.operation_ls(plain, path="/", filter={"name": "~*.txt"}, orderby=["name DESC"])
assert [entry["name"] for entry in listing] == ["notes.txt", "hello.txt"], listing.text
assert [entry["name"] for entry in transfer.operation_ls(plain, filter=[{"type": "dir"}, "name:hello.txt"])] == ["hello.txt", "sub"]
assert transfer.operation_stat(plain, "/hello.txt")["size"] == 5
assert transfer.operation_mkdir(plain, "/made")["code"] == "DirectoryCreated"
assert transfer.get_endpoint(plain)["display_name"] == "Plain"
assert [found["id"] for found in transfer.endpoint_search("plain")] == [plain]
try:
    transfer.operation_ls(plain, path="/nowhere/")
except globus_sdk.TransferAPIError as error:
    assert (error.http_status, error.code) == (404, "ClientError.NotFound"), error
try:
    transfer.operation_stat(plain, "/nowhere")
except globus_sdk.TransferAPIError as error:
    assert (error.http_status, error.code) == (404, "NotFound"), error
assert app._login_flow_manager.logins == 1

# An unsupported endpoint answers 501, in the error form of each service.
for client, ask in [
    (transfer, lambda client: client.endpoint_manager_task_list()),
    (globus_sdk.GroupsClient(), lambda client: client.get_identity_preferences()),
    (globus_sdk.SearchClient(), lambda client: client.get_index("x")),
    (globus_sdk.FlowsClient(), lambda client: client.list_registered_apis()),
    (globus_sdk.TimersClient(), lambda client: client.get("/nonsense")),
    (globus_sdk.ComputeClientV2(), lambda client: client.get_result_amqp_url()),
]:
    try:
        ask(client)
    except globus_sdk.GlobusAPIError as error:
        code = error.code.replace("_", "").lower()
        assert (error.http_status, code) == (501, "notimplemented"), error
        assert error.message.startswith("fake-globus does not serve GET /"), error.message
    else:
        raise SystemExit("the call succeeded instead of failing with 501")

# The session is too old: the SDK finds the GARE, and a login satisfies it.
tell("advance 3600")
error = listing_error(transfer, plain)
assert (error.http_status, error.code) == (502, "ExternalError.DirListingFailed.LoginFailed"), error
gare = globus_sdk.gare.to_gare(error)
assert gare is not None
parameters = gare.authorization_parameters
assert parameters.session_required_single_domain == ["uchicago.edu"], gare
hidden = listing_error(transfer, embedded)
assert globus_sdk.gare.to_gare(hidden) is None
assert '530-GridFTP-JSON-Result: {"DATA_TYPE": "result#1.1.0"' in hidden.message, hidden.message
assert "\\r\\n530 End.\\r\\n\n" in hidden.message

# The empty list and the false value of the document must not become parameters: Auth rejects them.
parameters.session_required_identities = None
parameters.session_required_mfa = None
parameters.prompt = "login"
app.login(auth_params=parameters)
assert {entry["name"] for entry in transfer.operation_ls(plain)} >= {"hello.txt"}
assert app._login_flow_manager.logins == 2

# The SDK satisfies a GARE with status 403 itself.
redriving = user_app(auto_redrive_gares=True, request_refresh_tokens=True)
transfer = globus_sdk.TransferClient(app=redriving)
assert len(list(transfer.operation_ls(policy))) > 0
tell("advance 3600")
assert len(list(transfer.operation_ls(policy))) > 0
assert len(list(transfer.operation_ls(data_access))) > 0
assert redriving._login_flow_manager.logins == 3

# The SDK checks dependent scopes against the consents of Auth.
dependent = user_app(request_refresh_tokens=True)
transfer = globus_sdk.TransferClient(app=dependent).add_app_data_access_scope(data_access)
assert len(list(transfer.operation_ls(data_access))) > 0
assert dependent._login_flow_manager.logins == 1
tell("advance 180000")
assert len(list(transfer.operation_ls(data_access))) > 0, "the SDK renews the token on a 401"
assert dependent._login_flow_manager.logins == 1
userinfo = globus_sdk.AuthClient(app=dependent).userinfo()
assert userinfo["preferred_username"] == "ada@uchicago.edu", userinfo
dependent.logout()
assert dependent.login_required()

# A confidential client with its own identity.
client = ClientApp(
    "peer",
    client_id=os.environ["FAKE_GLOBUS_CONFIDENTIAL_CLIENT_ID"],
    client_secret=os.environ["FAKE_GLOBUS_CLIENT_SECRET"],
    config=GlobusAppConfig(token_storage=MemoryTokenStorage(), auto_redrive_gares=True),
)
assert len(list(globus_sdk.TransferClient(app=client).operation_ls(data_access))) > 0
print("passed")
