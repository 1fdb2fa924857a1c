// A program on the official SDK. It lists a collection, logs in as required, and obeys Retry-After.

import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { auth, errors, transfer } from "@globus/sdk";

const REDIRECT = "http://127.0.0.1:49152/callback";
const SCOPES = [
  "openid",
  "urn:globus:auth:scope:transfer.api.globus.org:all",
  "urn:globus:auth:scope:groups.api.globus.org:all",
  "https://auth.globus.org/scopes/eec9b274-0c81-4334-bdc2-54e90e689b9a/all",
  "https://auth.globus.org/scopes/524230d7-ea86-4a52-8312-86065a9e0417/timer",
  "https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all",
];

let tokens = new Map();

/** Logs in, as a person with a browser does. */
export async function login(requirement = {}) {
  const verifier = randomBytes(48).toString("base64url");
  const url = new URL(auth.getAuthorizationEndpoint());
  url.search = new URLSearchParams({
    client_id: process.env.GLOBUS_CLIENT_ID,
    redirect_uri: REDIRECT,
    response_type: "code",
    scope: SCOPES.join(" "),
    state: "xyzzy",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    ...requirement,
  });
  const page = await fetch(url, { redirect: "manual" });
  const redirect = page.headers.get("location");
  if (redirect === null) throw new Error(`no redirect: ${page.status} ${await page.text()}`);
  const code = new URL(redirect).searchParams.get("code");
  if (code === null) throw new Error(`no code: ${redirect}`);
  const payload = {
    client_id: process.env.GLOBUS_CLIENT_ID,
    code,
    code_verifier: verifier,
    grant_type: "authorization_code",
    redirect_uri: REDIRECT,
  };
  const document = await (await auth.oauth2.token.exchange({ payload })).json();
  tokens = new Map([document, ...document.other_tokens].map((token) => [token.resource_server, token.access_token]));
}

/** Calls the SDK until it succeeds, with logins as required; returns the document. */
export async function call(resourceServer, ask) {
  if (tokens.size === 0) await login();
  for (let attempt = 0; attempt < 5; attempt++) {
    const response = await ask({ headers: { Authorization: `Bearer ${tokens.get(resourceServer)}` } });
    const document = await response.json();
    if (response.ok) return document;
    if (errors.isAuthorizationRequirementsError(document)) {
      await login({ prompt: "login", ...errors.toAuthorizationQueryParams(document) });
    } else if (response.status === 429) {
      await sleep(1000 * Number(response.headers.get("retry-after")));
    } else if (response.status === 401) {
      await login();
    } else {
      throw new Error(`${response.status}: ${JSON.stringify(document)}`);
    }
  }
  throw new Error("no success after 5 attempts");
}

export const program = {
  /** The names in the collection. */
  async list() {
    const collection = process.env.FAKE_GLOBUS_COLLECTION;
    const listing = await call("transfer.api.globus.org", (options) => transfer.fileOperations.ls(collection, options));
    return listing.DATA.map((entry) => entry.name);
  },
};
