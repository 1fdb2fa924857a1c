"""Reads and writes token files with the official Python SDK.

token_file.py rewrite FILE              reads the file, and prints what the SDK writes back
token_file.py path CLIENT NAME...       prints the SDK's path for each app, or "-" if it rejects the name
token_file.py write FILE COUNT plain    stores COUNT tokens, one after another, for COUNT resource servers
token_file.py write FILE COUNT locked   the same, each under the lock beside the file
token_file.py write FILE COUNT sqlite   the same, in a database
token_file.py servers FILE              prints the resource servers of the tokens in a database
"""

import contextlib
import fcntl
import json
import sys

import globus_sdk
from globus_sdk.token_storage import JSONTokenStorage, SQLiteTokenStorage, TokenStorageData
from globus_sdk.token_storage.base import _default_globus_app_filepath


class LockedJSONTokenStorage(JSONTokenStorage):
    """The SDK's storage, with a lock for programs that share the file."""

    @contextlib.contextmanager
    def _turn(self):
        with open(self.filepath + ".lock", "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def store_token_data_by_resource_server(self, token_data_by_resource_server):
        with self._turn():
            super().store_token_data_by_resource_server(token_data_by_resource_server)

    def remove_token_data(self, resource_server):
        with self._turn():
            return super().remove_token_data(resource_server)


def token(server):
    return TokenStorageData(
        resource_server=server,
        identity_id="ada",
        scope="all",
        access_token="by Python \u00e9",
        refresh_token=None,
        expires_at_seconds=4102444800,
        token_type="Bearer",
    )


def rewrite(path):
    storage = JSONTokenStorage(path)
    for tokens in storage._load()["data"].values():
        for data in tokens.values():
            TokenStorageData.from_dict(data)
    json.dump(storage._load(), sys.stdout)


def path(client, *names):
    for name in names:
        try:
            print(_default_globus_app_filepath(client, name, "production") + ".json")
        except globus_sdk.GlobusSDKUsageError:
            print("-")


def write(path, count, how):
    storages = {"locked": LockedJSONTokenStorage, "plain": JSONTokenStorage, "sqlite": SQLiteTokenStorage}
    storage = storages[how](path)
    print("ready", flush=True)
    input()
    for number in range(int(count)):
        server = f"python-{number}"
        storage.store_token_data_by_resource_server({server: token(server)})
    print("done")


def servers(path):
    for server in SQLiteTokenStorage(path).get_token_data_by_resource_server():
        print(server)


{"rewrite": rewrite, "servers": servers, "path": path, "write": write}[sys.argv[1]](*sys.argv[2:])
