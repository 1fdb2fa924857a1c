// Prints the seconds that the JavaScript SDK needs to find a GARE, for each file that is named.
"use strict";

const fs = require("node:fs");
const { errors } = require("@globus/sdk");

// The SDK does not read the GridFTP replies that Transfer quotes.
const REPLY = /GridFTP-JSON-Result: (\{.*?\})(?:\\r\\n|\r?\n)/;

function find(body) {
  const found = JSON.parse(body.toString());
  if (errors.isAuthorizationRequirementsError(found)) return found;
  const reply = REPLY.exec(found.message ?? "");
  const quoted = reply && JSON.parse(reply[1]);
  return errors.isAuthorizationRequirementsError(quoted) ? quoted : null;
}

function seconds(body, runs) {
  const start = process.hrtime.bigint();
  for (let run = 0; run < runs; run++) find(body);
  return Number(process.hrtime.bigint() - start) / 1e9 / runs;
}

for (const path of process.argv.slice(2)) {
  const body = fs.readFileSync(path);
  if (find(body) === null) throw new Error(path);
  // The first calls are there for the compiler.
  seconds(body, 50_000);
  const samples = Array.from({ length: 15 }, () => seconds(body, 20_000));
  console.log(samples.sort((one, other) => one - other)[7]);
}
