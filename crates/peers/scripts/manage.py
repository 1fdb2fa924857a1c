"""The official Python SDK manages collections, tasks, bookmarks and projects of FakeGlobus.

Arguments: the ids of the collections.
"""

import os
import sys

import globus_sdk
from globus_sdk.experimental.transfer_v2 import (
    BookmarkCreateDocument,
    BookmarkUpdateDocument,
    TransferClientV2,
    TunnelCreateDocument,
    TunnelUpdateDocument,
)

from scripted_login import code_from, tell

plain, embedded, policy, data_access = sys.argv[1:]
MANAGE = globus_sdk.AuthClient.scopes.manage_projects
ALL = globus_sdk.TransferClient.scopes.all

native = globus_sdk.NativeAppAuthClient(os.environ["GLOBUS_CLIENT_ID"])


def log_in(**parameters):
    """Logs in again; returns clients of Transfer, of Transfer's second version, and of Auth."""
    redirect_uri = native.base_url + "v2/web/auth-code"
    native.oauth2_start_flow([ALL, MANAGE, "openid"], redirect_uri=redirect_uri)
    url = native.oauth2_get_authorize_url(**parameters)
    tokens = native.oauth2_exchange_code_for_tokens(code_from(url)).by_resource_server
    authorizers = [globus_sdk.AccessTokenAuthorizer(tokens[server]["access_token"]) for server in tokens]
    by_server = dict(zip(tokens, authorizers))
    transfer = by_server["transfer.api.globus.org"]
    auth = globus_sdk.AuthClient(authorizer=by_server["auth.globus.org"])
    return globus_sdk.TransferClient(authorizer=transfer), TransferClientV2(authorizer=transfer), auth


def error_of(call, status):
    try:
        call()
    except globus_sdk.GlobusAPIError as error:
        assert error.http_status == status, error
        return error
    raise SystemExit(f"the call succeeded instead of failing with {status}")


transfer, second, auth = log_in()

# A collection's document, and the search.
transfer.update_endpoint(plain, {"description": "Ice cores"})
assert transfer.get_endpoint(plain)["description"] == "Ice cores"
transfer.set_subscription_id(plain, "DEFAULT")
transfer.set_subscription_admin_verified(plain, True)
assert [found["id"] for found in transfer.endpoint_search("plain", filter_scope="all")] == [plain]
assert len(list(transfer.paginated.endpoint_search(filter_fulltext="", limit=1).items())) == 4

# Access rules.
ada = auth.get_identities(usernames="ada@uchicago.edu")["identities"][0]["id"]
rule = {"DATA_TYPE": "access", "principal_type": "identity", "principal": ada, "path": "/", "permissions": "r"}
created = transfer.add_endpoint_acl_rule(plain, rule)["access_id"]
transfer.update_endpoint_acl_rule(plain, created, {"permissions": "rw"})
assert transfer.get_endpoint_acl_rule(plain, created)["permissions"] == "rw"
assert [found["id"] for found in transfer.endpoint_acl_list(plain)] == [created]
transfer.delete_endpoint_acl_rule(plain, created)
assert error_of(lambda: transfer.get_endpoint_acl_rule(plain, created), 404).code == "AccessRuleNotFound"

# Bookmarks, in both versions of the API.
bookmark = transfer.create_bookmark({"endpoint_id": plain, "path": "/sub/", "name": "sub"})["id"]
assert second.get_bookmark(bookmark)["data"]["attributes"]["name"] == "sub"
second.update_bookmark(bookmark, BookmarkUpdateDocument("deep", "/sub/"))
assert [found["name"] for found in transfer.bookmark_list()] == ["deep"]
other = second.create_bookmark(BookmarkCreateDocument(policy, "other", "/"))["data"]["id"]
assert len(list(second.list_bookmarks())) == 2
transfer.delete_bookmark(bookmark)
second.delete_bookmark(other)
error = error_of(lambda: second.get_bookmark(other), 404)
assert (error.code, bool(error.message)) == ("BookmarkNotFound", True), error

# Tunnels.
point = second.list_stream_access_points()["data"][0]["id"]
tunnel = second.create_tunnel(TunnelCreateDocument(point, point, label="stream"))["data"]["id"]
second.update_tunnel(tunnel, TunnelUpdateDocument(listener_ip_address="127.0.0.1", listener_port=7000))
assert second.get_tunnel(tunnel)["data"]["attributes"]["state"] == "TUNNEL_ACTIVE"
second.update_tunnel(tunnel, TunnelUpdateDocument(state="STOPPING"))
assert len(second.get_tunnel_events(tunnel)["data"]) == 3
second.delete_tunnel(tunnel)

# A transfer: the copied files, and the task.
data = globus_sdk.TransferData(plain, plain, label="synchronise", sync_level="checksum", skip_source_errors=True)
data.add_item("/sub/", "/synced/", recursive=True)
data.add_item("/nowhere.txt", "/never.txt")
data.add_filter_rule("*.md", method="exclude", type="file")
task = transfer.submit_transfer(data)["task_id"]
assert transfer.task_wait(task, polling_interval=1)
copied = [found["source_path"] for found in transfer.paginated.task_successful_transfers(task).items()]
assert copied == ["/sub/deep.txt"], copied
assert [found["error_code"] for found in transfer.task_skipped_errors(task)] == ["FILE_NOT_FOUND"]
transfer.update_task(task, {"DATA_TYPE": "task", "label": "renamed"})
listed = transfer.task_list(filter={"label": "renamed", "type": ["TRANSFER"]}, orderby=["request_time DESC"])
assert [found["task_id"] for found in listed] == [task]
deletion = globus_sdk.DeleteData(plain, recursive=True)
deletion.add_item("/synced/")
assert transfer.get_task(transfer.submit_delete(deletion)["task_id"])["status"] == "SUCCEEDED"

# A policy that is made stricter, and the login that satisfies it.
project = auth.create_project("Project", contact_email="a@b.c", admin_ids=ada)["project"]["id"]
made = auth.create_policy(project_id=project, display_name="Mine", description="", domain_constraints_include=["globusid.org"])
assert auth.get_policy(made["policy"]["id"])["policy"]["project_id"] == project
guard = [found["id"] for found in auth.get_policies() if found["project_id"] is None][0]
auth.update_policy(guard, authentication_assurance_timeout=60)
tell("advance 61")
error = error_of(lambda: transfer.operation_ls(policy), 403)
assert error.info.authorization_parameters.session_required_policies == [guard], error
transfer, second, auth = log_in(session_required_policies=guard)
assert len(list(transfer.operation_ls(policy))) > 0

# Clients, scopes, and dependent tokens of a service.
client = auth.create_client("Service", project=project, client_type="resource_server")["client"]["id"]
secret = auth.create_client_credential(client, "first")["credential"]["secret"]
scope = auth.create_scope(client, "Act", "", "act")["scope"]["scope_string"]
assert [found["scope_string"] for found in auth.get_scopes()] == [scope]
native.oauth2_start_flow(f"{scope}[{ALL}]", redirect_uri=native.base_url + "v2/web/auth-code")
called_with = native.oauth2_exchange_code_for_tokens(code_from(native.oauth2_get_authorize_url()))
service = globus_sdk.ConfidentialAppAuthClient(client, secret)
tokens = service.oauth2_get_dependent_tokens(called_with.by_resource_server[client]["access_token"])
token = tokens.by_resource_server["transfer.api.globus.org"]["access_token"]
acting = globus_sdk.TransferClient(authorizer=globus_sdk.AccessTokenAuthorizer(token))
assert len(list(acting.operation_ls(plain))) > 0
assert [found["name"] for found in auth.get_identity_providers(domains="uchicago.edu")] == ["uchicago.edu"]
auth.delete_client(client)
auth.delete_policy(made["policy"]["id"])
auth.delete_project(project)
print("passed")
