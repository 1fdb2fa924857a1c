"""The unchanged Python SDK against Flows, Timers, Groups, Compute and a Manager API.

Arguments: the ids of a flow, of a flow with a policy, of a group, of a Compute endpoint with a
policy, of a collection that requires a consent, and of a collection that requires a recent login.
"""

import datetime
import os
import sys

import globus_sdk
import globus_sdk.gare

from apps import user_app
from control import fake

flow, guarded_flow, group, cluster, consented, recent = sys.argv[1:]


def login_for(app, document, prompt=None):
    """Logs in with the requirement of a document."""
    gare = globus_sdk.gare.to_gare(document)
    assert gare is not None, document
    gare.authorization_parameters.prompt = prompt
    app.login(auth_params=gare.authorization_parameters)
    return gare


def error_of(call):
    try:
        call()
    except globus_sdk.GlobusAPIError as error:
        return error
    raise SystemExit("the call succeeded instead of failing")


# Flows: a run waits for a consent, and continues with it.
app = user_app()
flows = globus_sdk.FlowsClient(app=app)
assert [found["title"] for found in flows.list_flows(filter_fulltext="publish")] == ["Publish"]
assert flows.get_flow(flow)["id"] == flow
publish = globus_sdk.SpecificFlowClient(flow, app=app)
run = publish.run_flow({"source": consented}, label="monthly", tags=["cool"])
assert (run.http_status, run["status"]) == (201, "ACTIVE")
inactive = flows.get_run(run["run_id"], include_flow_description=True)
assert inactive["status"] == "INACTIVE", inactive.text
assert inactive["flow_description"]["title"] == "Publish"
gare = login_for(app, inactive["details"])
assert gare.code == "ConsentRequired"
# The login requests the scopes of the application, too.
assert inactive["details"]["required_scope"] in gare.authorization_parameters.required_scopes, gare
publish.resume_run(run["run_id"])
done = flows.get_run(run["run_id"])
assert done["details"]["code"] == "FlowSucceeded", done.text
assert [entry["code"] for entry in flows.get_run_logs(run["run_id"])] == ["FlowStarted", "FlowSucceeded"]
assert [found["label"] for found in flows.list_runs(filter_flow_id=flow)] == ["monthly"]
flows.delete_run(run["run_id"])
assert list(flows.list_runs()) == []

# The challenge for a policy has a GARE beside the error of Flows. The SDK satisfies it itself.
redriving = user_app(auto_redrive_gares=True)
guarded = globus_sdk.SpecificFlowClient(guarded_flow, app=redriving)
run = guarded.run_flow({})
fake("advance-clock", seconds=3600)
run = guarded.run_flow({})
assert redriving._login_flow_manager.logins == 2
error = error_of(lambda: globus_sdk.SpecificFlowClient(guarded_flow, app=app).get("/flows/x/run"))
assert error.http_status == 501, error

# Timers: inactive once the session is too old, and resumed after a new login.
timers = globus_sdk.TimersClient(app=app)
transfer = globus_sdk.TransferData(source_endpoint=recent, destination_endpoint=recent)
transfer.add_item("/hello.txt", "/copy.txt")
schedule = globus_sdk.RecurringTimerSchedule(interval_seconds=3600, end={"condition": "iterations", "iterations": 2})
timer = globus_sdk.TransferTimer(name="hourly", schedule=schedule, body=transfer)
created = timers.create_timer(timer)["timer"]
assert (created["status"], created["timer_type"]) == ("new", "transfer"), created
fake("advance-clock", seconds=3600)
job = timers.get_job(created["job_id"])
assert (job["status"], job["n_runs"]) == ("inactive", 1), job.text
assert job["inactive_reason"]["cause"] == "globus_auth_requirements"
login_for(app, job["inactive_reason"]["detail"], prompt="login")
timers.resume_job(created["job_id"])
job = timers.get_job(created["job_id"])
assert (job["status"], job["n_runs"]) == ("ended", 2), job.text
callback = globus_sdk.TimerJob(
    "https://actions.automate.globus.org/transfer/transfer/run",
    {"body": {"source_endpoint_id": recent}},
    datetime.datetime(2022, 4, 1, tzinfo=datetime.timezone.utc),
    None,
)
older = timers.create_job(callback)
assert timers.get_job(older["job_id"])["status"] == "ended"
assert len(timers.list_jobs()["jobs"]) == 2
assert "paused" in timers.pause_job(older["job_id"])["message"]
timers.delete_job(older["job_id"])
invalid = error_of(lambda: timers.post("/jobs/", data={}))
assert invalid.messages == ["field required: body.start", "field required: body.callback_url"], invalid.messages

# Groups.
groups = globus_sdk.GroupsClient(app=app)
assert [found["id"] for found in groups.get_my_groups()] == [group]
assert groups.get_group(group, include="memberships")["memberships"][0]["role"] == "admin"
fake("fail", service="groups", requires={"required_scopes": ["urn:globus:auth:scope:groups.api.globus.org:all"]})
error = error_of(groups.get_my_groups)
assert (error.http_status, error.code) == (401, "ConsentRequired"), error
gare = globus_sdk.gare.to_gare(error)
assert gare.authorization_parameters.required_scopes == ["urn:globus:auth:scope:groups.api.globus.org:all"]

# Compute: the reason of a challenge, and the login that satisfies it.
compute = globus_sdk.ComputeClientV2(app=app)
assert [found["uuid"] for found in compute.get_endpoints()] == [cluster]
registered = compute.register_function({"function_name": "hello", "function_code": "gASV"})
fake("advance-clock", seconds=3600)
tasks = {"tasks": {registered["function_uuid"]: ["args"]}}
latest = globus_sdk.ComputeClientV3(app=app)
error = error_of(lambda: latest.submit(cluster, tasks))
assert (error.http_status, error.code) == (403, "AUTH_POLICY_FAILED"), error
assert "policy" in error.raw_json["reason"]
login_for(app, error, prompt="login")
task = latest.submit(cluster, tasks)["tasks"][registered["function_uuid"]][0]
assert compute.get_task(task)["status"] == "success"

# The Manager API. The constructor accepts https URLs only, so that the URL is set afterwards.
manager = globus_sdk.GCSClient("localhost")
manager.base_url = os.environ["GLOBUS_SDK_SERVICE_URL_GCS"] + "api/"
manager.attach_globus_app(app)
info = manager.get_gcs_info()
assert info["api_version"] == "1.29.0", info.text
names = {found["id"]: found["display_name"] for found in manager.get_collection_list()}
assert set(names) == {consented, recent}
assert len(list(manager.get_storage_gateway_list())) == len(list(manager.get_user_credential_list())) == 2
assert manager.get_collection(recent)["display_name"] == names[recent]
fake("advance-clock", seconds=3600)
error = error_of(lambda: manager.get_collection(recent))
assert (error.http_status, error.code) == (403, "permission_denied"), error
assert error.detail["allowed_domains"] == ["uchicago.edu"], error.detail
assert globus_sdk.gare.to_gare(error) is not None

# 429: the SDK waits as told, and sends the request again.
fake("limit", next=2, service="groups", retry_after=0)
assert len(list(groups.get_my_groups())) == 1
print("passed")
