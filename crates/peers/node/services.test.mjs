// The unchanged JavaScript SDK against FakeGlobus.

import assert from "node:assert/strict";
import { test } from "node:test";
import { compute, errors, flows, gcs, groups, timers, transfer } from "@globus/sdk";
import { call, program } from "./program.mjs";

const fake = process.env.FAKE_GLOBUS_URL + "_fake/";
const tell = (command, fields) => fetch(fake + command, { method: "POST", body: JSON.stringify(fields) });
const look = async (path) => (await fetch(fake + path)).json();

test("an authorization requirement leads to one login", async () => {
  assert.deepEqual(await program.list(), ["hello.txt"]);
  await tell("advance-clock", { seconds: 3600 });
  assert.deepEqual(await program.list(), ["hello.txt"]);
  const { logins, challenges } = await look("counts");
  assert.deepEqual({ logins, challenges }, { logins: 2, challenges: 1 });
  assert.deepEqual((await look("violations")).violations, []);
});

test("each service answers, with challenges that the SDK understands", async () => {
  const all = [
    ["groups.api.globus.org", "groups", (options) => groups.groups.getMyGroups(options)],
    ["flows.globus.org", "flows", (options) => flows.flows.getAll(options)],
    ["flows.globus.org", "flows", (options) => flows.runs.getAll(options)],
    ["524230d7-ea86-4a52-8312-86065a9e0417", "timer", (options) => timers.jobs.getAll(options)],
    ["funcx_service", "compute", (options) => compute.endpoints.getAll(options)],
    ["transfer.api.globus.org", "transfer", (options) => transfer.endpointSearch(options)],
  ];
  for (const [resourceServer, service, ask] of all) {
    assert.equal(typeof (await call(resourceServer, ask)), "object", service);
    await tell("fail", { service, requires: { session_required_single_domain: ["uchicago.edu"] } });
    const challenge = await (await ask({})).json();
    assert.ok(errors.isAuthorizationRequirementsError(challenge), JSON.stringify(challenge));
  }
  const host = process.env.GLOBUS_SDK_SERVICE_URL_GCS;
  const info = await (await gcs.versioning.info({ host, endpoint_id: "x" })).json();
  assert.equal(info.data[0].DATA_TYPE, "info#1.0.0");
});

test("an inactive run contains a requirement that the SDK understands", async () => {
  const order = async (command, fields) => (await tell(command, fields)).json();
  const flow = await order("add-flow", { title: "Publish" });
  const collection = await order("add-collection", { name: "Consented", root: ".", data_access: true });
  const { access_token } = await order("log-in", { identity: "ada@uchicago.edu", scopes: flow.scope });
  const headers = { Authorization: `Bearer ${access_token}` };
  const started = await flows.flows.run(flow.id, { headers, payload: { body: { source: collection.id } } });
  assert.equal(started.status, 201);
  const { run_id } = await started.json();
  const run = await call("flows.globus.org", (options) => flows.runs.get(run_id, options));
  assert.equal(run.status, "INACTIVE");
  assert.ok(errors.isAuthorizationRequirementsError(run.details));
  const { scope } = errors.toAuthorizationQueryParams(run.details);
  assert.ok(scope.startsWith(`${flow.scope}[*`) && scope.includes(`${collection.id}/data_access`), scope);
});

test("an unsupported endpoint answers 501", async () => {
  const host = process.env.GLOBUS_SDK_SERVICE_URL_GCS;
  const answer = await gcs.nodes.getAll({ host, endpoint_id: "x" });
  assert.equal(answer.status, 501);
  const document = await answer.json();
  assert.equal(document.code, "not_implemented");
  assert.match(document.message, /does not serve GET \/api\/nodes/);
});
