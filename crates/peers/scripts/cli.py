"""The unchanged `globus` command line against FakeGlobus. Arguments: the ids of the collections."""

import json
import os
import re
import shlex
import sys

from command_line import globus, globus_login
from scripted_login import tell

plain, embedded, policy, data_access = sys.argv[1:]


assert "You have successfully logged in" in globus_login("login")
assert "already logged in" in globus("login")
assert globus("whoami") == "ada@uchicago.edu\n"
assert globus("whoami", "--linked-identities") == "ada@uchicago.edu\nada@globusid.org\n"

listed = globus("ls", plain)
assert {"hello.txt", "notes.txt", "sub/"} <= set(listed.split()), listed
document = json.loads(globus("ls", plain, "--format", "json"))
assert {entry["name"]: entry["size"] for entry in document["DATA"]}["hello.txt"] == 5
assert globus("ls", f"{plain}:/", "--filter", "~n*.txt", "--orderby", "size:DESC").split() == ["notes.txt"]
assert "sub/deep.txt" in globus("ls", plain, "--recursive")
assert "hello.txt" in globus("ls", plain, "--long")
assert "The directory was created successfully" in globus("mkdir", f"{plain}:/by-cli")
assert "hello.txt" in globus("stat", f"{plain}:/hello.txt")
assert "not found" in globus("ls", f"{plain}:/nowhere/", status=1)
assert plain in globus("endpoint", "search", "plain")

# An unsupported endpoint is an error that names it.
said = globus("endpoint", "role", "list", plain, status=1)
assert f"fake-globus does not serve GET /v0.10/endpoint/{plain}/role_list" in said, said

# Bookmarks, and access rules.
bookmark = re.search(r"Bookmark ID: (\S+)", globus("bookmark", "create", f"{plain}:/sub/", "deep")).group(1)
assert globus("bookmark", "show", "deep").split() == [f"{plain}:/sub/"]
globus("bookmark", "rename", bookmark, "deeper")
assert "deeper" in globus("bookmark", "list")
globus("bookmark", "delete", "deeper")
assert bookmark not in globus("bookmark", "list")
words = ("--identity", "ada@globusid.org", "--permissions", "r", f"{plain}:/sub/")
rule = re.search(r"Rule ID: +(\S+)", globus("endpoint", "permission", "create", *words)).group(1)
globus("endpoint", "permission", "update", plain, rule, "--permissions", "rw")
shown = globus("endpoint", "permission", "show", plain, rule)
assert re.search(r"Permissions: +rw", shown) and "ada@globusid.org" in shown, shown
assert rule in globus("endpoint", "permission", "list", plain)
globus("endpoint", "permission", "delete", plain, rule)
assert rule not in globus("endpoint", "permission", "list", plain)

# Tasks. FakeGlobus completes them at once.
def task_of(said):
    task = re.search(r"Task ID: +(\S+)", said)
    assert task, said
    return task.group(1)


task = task_of(globus("transfer", f"{plain}:/hello.txt", f"{policy}:/copies/hello.txt", "--label", "by the CLI"))
shown = globus("task", "show", task)
assert re.search(r"Status: +SUCCEEDED", shown) and re.search(r"Bytes Transferred: +5\b", shown), shown
assert "by the CLI" in shown and "Policy" in shown, shown
globus("transfer", "--recursive", f"{plain}:/copies/", f"{plain}:/more/")
assert globus("ls", f"{plain}:/more/").split() == ["hello.txt"]
task = task_of(globus("delete", "--recursive", f"{plain}:/copies/"))
assert re.search(r"Type: +DELETE", globus("task", "show", task))
globus("task", "wait", task)
globus("task", "update", task, "--label", "renamed")
assert "renamed" in globus("task", "show", task)
synchronise = ("transfer", "--recursive", "--sync-level", "checksum", "--exclude", "*.md", f"{plain}:/sub/", f"{plain}:/synced/")
globus(*synchronise)
task = task_of(globus(*synchronise))
shown = json.loads(globus("task", "show", task, "--format", "json"))
assert (shown["files_transferred"], shown["files_skipped"]) == (0, 1), shown
task = task_of(globus("transfer", f"{plain}:/sub/deep.txt", f"{plain}:/synced/again.txt"))
assert "/sub/deep.txt" in globus("task", "show", task, "--successful-transfers")
globus("delete", "--recursive", f"{plain}:/synced/")
assert task in globus("task", "list")
assert "SUCCEEDED" in globus("task", "event-list", task)
assert "renamed successfully" in globus("rename", plain, "/by-cli", "/renamed-by-cli")
globus("rm", f"{plain}:/more/*.txt")
assert globus("ls", f"{plain}:/more/").split() == []
globus("rm", f"{plain}:/more/nothing.txt", status=1)
globus("rm", "--ignore-missing", f"{plain}:/more/nothing.txt")

# The session is too old: the command line names the command that logs in again.
tell("advance 3600")
challenge = globus("ls", plain, status=4)
assert "re-authenticate" in challenge, challenge
command = re.search(r"globus session update (.+)$", challenge, re.MULTILINE)
assert command, challenge
globus_login("session", "update", *shlex.split(command.group(1)))
assert "hello.txt" in globus("ls", plain)
shown = json.loads(globus("session", "show", "--format", "json"))
assert len(shown["authentications"]) >= 1, shown

# A policy, and a consent.
tell("advance 3600")
challenge = globus("ls", policy, status=4)
command = re.search(r"globus session update (.+)$", challenge, re.MULTILINE)
globus_login("session", "update", *shlex.split(command.group(1)))
assert "hello.txt" in globus("ls", policy)
tell("advance 3600")
assert "session update" in globus("delete", f"{policy}:/hello.txt", status=4)
globus_login("session", "update", *shlex.split(command.group(1)))
globus("delete", f"{policy}:/never.txt", "--ignore-missing")
challenge = globus("ls", data_access, status=4)
scope = re.search(r"globus session consent '(.+)'", challenge)
assert scope, challenge
globus_login("session", "consent", scope.group(1))
assert "hello.txt" in globus("ls", data_access)

# The command line does not understand a requirement in the GridFTP reply alone.
tell("advance 3600")
assert "530-GridFTP-JSON-Result" in globus("ls", embedded, status=1)

assert "logged out" in globus("logout", "--yes")
assert "globus login" in globus("ls", plain, status=4)

# A confidential client with its own identity.
client = {
    "GLOBUS_CLI_CLIENT_ID": os.environ["FAKE_GLOBUS_CONFIDENTIAL_CLIENT_ID"],
    "GLOBUS_CLI_CLIENT_SECRET": os.environ["FAKE_GLOBUS_CLIENT_SECRET"],
}
assert globus("whoami", env=client).endswith("@clients.auth.globus.org\n")
assert "hello.txt" in globus("ls", data_access, env=client)
elsewhere = {"HOME": os.environ["HOME"] + "/elsewhere", "GLOBUS_CLI_CLIENT_SECRET": "wrong"}
said = globus("ls", data_access, env={**client, **elsewhere}, status=1)
assert "Auth API Error" in said, said
print("passed")
