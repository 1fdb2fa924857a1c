"""The unchanged `globus` command line against Flows, Timers and Groups.

Arguments: the ids of a flow, of a flow with a policy, of a group, of a Compute endpoint, of a
collection that requires a consent, and of a collection that requires a recent login.
"""

import json
import re
import shlex
import sys

from command_line import globus, globus_login
from control import fake

flow, guarded_flow, group, cluster, consented, recent = sys.argv[1:]


def log_in_as_told(output):
    """Runs the login command that the output of a challenged command names."""
    command = re.search(r"^ *globus ((session|login) .+)$", output, re.MULTILINE)
    assert command, output
    globus_login(*shlex.split(command.group(1)))


def field(name, shown):
    found = re.search(rf"^{name}: +(.+)$", shown, re.MULTILINE)
    assert found, shown
    return found.group(1)


globus_login("login")
assert "Climate" in globus("group", "list")
assert field("Name", globus("group", "show", group)) == "Climate"

# A run waits for a consent, and continues with it.
assert flow in globus("flows", "list", "--filter-fulltext", "publish")
assert field("Title", globus("flows", "show", flow)) == "Publish"
start = ["flows", "start", flow, "--input", json.dumps({"source": consented}), "--label", "monthly"]
log_in_as_told(globus(*start, status=4))
run = field("Run ID", globus(*start))
assert field("Status", globus("flows", "run", "show", run)) == "INACTIVE"
log_in_as_told(globus("flows", "run", "resume", run, status=4))
assert field("Status", globus("flows", "run", "resume", run)) == "ACTIVE"
assert field("Status", globus("flows", "run", "show", run)) == "SUCCEEDED"
assert "FlowSucceeded" in globus("flows", "run", "show-logs", run)
assert "monthly" in globus("flows", "run", "list")
assert "RunTransfer" in globus("flows", "run", "show-definition", run)
globus("flows", "run", "delete", run)

# A policy of a flow.
start = ["flows", "start", guarded_flow]
log_in_as_told(globus(*start, status=4))
fake("advance-clock", seconds=3600)
log_in_as_told(globus(*start, status=4))
assert field("Status", globus(*start)) == "ACTIVE"

# A timer, which pauses once its session is too old.
create = ["timer", "create", "transfer", f"{recent}:/a", f"{recent}:/b", "--interval", "1h", "--stop-after-runs", "3"]
timer = field("Timer ID", globus(*create))
shown = globus("timer", "show", timer)
assert field("Status", shown) == "loaded" and "Awaiting the next run" in shown, shown
fake("advance-clock", seconds=3600)
shown = globus("timer", "show", timer)
assert field("Status", shown) == "inactive" and "Paused" in shown, shown
log_in_as_told(globus("timer", "resume", timer, status=4))
globus("timer", "resume", timer, "--skip-inactive-reason-check")
assert field("Number of Runs", globus("timer", "show", timer)) == "2"
globus("timer", "pause", timer)
assert field("Status", globus("timer", "show", timer)) == "inactive"
assert timer in globus("timer", "list")
globus("timer", "delete", timer)
assert timer not in globus("timer", "list")
create = ["timer", "create", "flow", flow, "--input", "{}", "--stop-after-runs", "1"]
log_in_as_told(globus(*create, status=4))
timer = field("Timer ID", globus(*create))
assert field("Status", globus("timer", "show", timer)) == "ended"

assert "Group ID" in globus("group", "list")
said = globus("flows", "web-input", "list", status=1)
assert "fake-globus does not serve GET /web_inputs" in said, said
print("passed")
