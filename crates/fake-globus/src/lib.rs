//! An embedded Globus on loopback, for tests and demonstrations.
//!
//! [`FakeGlobus`] is a real HTTP server on 127.0.0.1, in Rust and as a program. Its Transfer works on real directories; its Auth logs people in, on a
//! page in a browser or with an automatic person, and gives out tokens that rest on sessions. Collections may demand a
//! recent login, a domain, identities, a second factor, policies or a consent, and refuse with errors of the shape that
//! the real services use, so that programs written for Globus, the official Python SDK and the `globus` command line
//! among them, can be tested against it unchanged.
//!
//! # What it keeps to
//! - A session belongs to the login that made it. Renewing a token makes it no younger; after another login the *new*
//!   tokens are fresh, and the old ones stay as old as they are.
//! - There is one browser. A login without `prompt=login` in which that browser is already logged in, suitably, asks for
//!   no authentication, and so makes no session younger either.
//! - Consents are remembered per user and program, and count at once, for tokens that were issued before, too.
//! - Codes work once, for ten minutes, for their client, redirect URI and PKCE verifier.
//!
//! # What it serves
//! Each service has an origin of its own; Auth and Transfer share one. What is not listed is answered 501, in the form
//! that the service has for errors: Search, the action providers and the web application answer nothing else yet. Each service
//! can be told to [refuse](#the-control-plane) with any requirement, in a form of its own.
//!
//! | Transfer, under `/v0.10` or without it | |
//! | --- | --- |
//! | `GET operation/endpoint/{id}/ls` | `path`, `show_hidden`, `orderby`, `filter`, `limit`, `offset` |
//! | `GET operation/endpoint/{id}/stat` | `path` |
//! | `POST operation/endpoint/{id}/mkdir`, `POST operation/endpoint/{id}/rename` | |
//! | `GET submission_id`, `POST delete`, `POST transfer` | tasks, done by the time that they are accepted; a transfer with `sync_level`, `filter_rules`, `delete_destination_extra`, `skip_source_errors`, `preserve_timestamp` |
//! | `GET task_list` | one's own, with `filter`, `orderby`, `limit`, `offset` |
//! | `GET`, `PUT task/{id}`, `GET task/{id}/event_list`, `/successful_transfers`, `/skipped_errors`, `POST task/{id}/cancel` | |
//! | `GET`, `PUT endpoint/{id}`, `PUT endpoint/{id}/subscription`, `/subscription_admin_verified` | the changes are shown, and let nobody in or out |
//! | `GET endpoint_search` | `filter_fulltext`, `filter_scope`, `filter_owner_id`, `filter_entity_type`, `filter_non_functional`, `limit`, `offset` |
//! | `GET endpoint/{id}/access_list`, `POST endpoint/{id}/access`, `GET`, `PUT`, `DELETE endpoint/{id}/access/{rule}` | the rules are kept, and let nobody in or out |
//! | `GET bookmark_list`, `POST bookmark`, `GET`, `PUT`, `DELETE bookmark/{id}` | one's own |
//! | `/v2/bookmarks`, `/v2/tunnels`, `/v2/tunnels/{id}/events`, `/v2/stream_access_points` | in the form of JSON:API; no bytes go through a tunnel |
//!
//! | Auth | |
//! | --- | --- |
//! | `GET /v2/oauth2/authorize` | with PKCE and the `session_*` parameters |
//! | `POST /v2/oauth2/token` | `authorization_code`, `refresh_token`, `client_credentials`, dependent tokens |
//! | `POST /v2/oauth2/token/revoke`, `/introspect`, `/validate` | introspection for clients with a secret |
//! | `GET /v2/oauth2/userinfo`, `/.well-known/openid-configuration`, `/jwk.json` | |
//! | `GET /v2/api/identities`, `/v2/api/identities/{id}/consents`, `/v2/api/identity_providers` | |
//! | `/v2/api/projects`, `/v2/api/policies`, `/v2/api/clients`, `/v2/api/clients/{id}/credentials`, `/v2/api/scopes` | with the scope `manage_projects`. A changed policy counts at once |
//! | `POST /v2/api/clients` without a token | an instance of a native client, or a child of a confidential one |
//!
//! | The HTTPS server of a collection: `https_server` in its document | |
//! | --- | --- |
//! | `GET`, `HEAD` of a path | with `Range`; 302 to Auth without a token for `https://auth.globus.org/scopes/{id}/https` |
//! | `PUT`, `DELETE` of a path | |
//!
//! | Flows | |
//! | --- | --- |
//! | `GET flows`, `flows/{id}` | `filter_fulltext`, `per_page`, `marker` |
//! | `POST flows/{id}/run`, `flows/{id}/validate_run`, `runs/{id}/resume` | with a token of the flow's own resource server |
//! | `GET runs`, `runs/{id}`, `runs/{id}/definition`, `runs/{id}/log` | of one's own |
//! | `POST runs/{id}/cancel`, `runs/{id}/release` | |
//!
//! A run works on the collections whose ids are in its input. Where one of them demands a consent, or a login that the token
//! of the run does not rest on, the run is inactive, and its `details` hold the requirement.
//!
//! | Timers | |
//! | --- | --- |
//! | `POST v2/timer`, `jobs/` | of transfers and flows; the older form, too |
//! | `GET jobs/`, `jobs/{id}`; `DELETE jobs/{id}` | of one's own |
//! | `POST jobs/{id}/pause`, `jobs/{id}/resume` | `update_credentials` |
//!
//! A timer runs by the [`Clock`], with the session of the token that made it. Where that is too old, or a consent is missing,
//! `inactive_reason` holds the requirement.
//!
//! | Groups | |
//! | --- | --- |
//! | `GET v2/groups/my_groups`, `v2/groups/{id}`, `v2/groups/{id}/policies` | `include=memberships` |
//! | `POST v2/groups`, `DELETE v2/groups/{id}` | |
//!
//! | Compute | |
//! | --- | --- |
//! | `GET v2/version`, `v2/endpoints`, `v2/endpoints/{id}`, `v2/endpoints/{id}/status` | `role` |
//! | `POST v2/functions`, `v3/functions`; `GET`, `DELETE v2/functions/{id}` | |
//! | `POST v3/endpoints/{id}/submit` | a task succeeds at once, with an empty result |
//! | `GET v2/tasks/{id}`, `v2/taskgroup/{id}`, `POST v2/batch_status` | of one's own |
//!
//! | The Manager API of the endpoint that all collections are on: `gcs`, under `/api` | |
//! | --- | --- |
//! | `GET info`, `endpoint` | |
//! | `GET collections`, `storage_gateways`, `user_credentials`, and one of each | one of them has to be satisfied |
//!
//! # The control plane
//! What a test does in Rust, a program in another language does over HTTP, on the origin of any service. Fields are those
//! of a JSON document in the body; unknown ones are refused. A web page is refused.
//!
//! | `POST /_fake/...` | fields |
//! | --- | --- |
//! | `advance-clock`, `set-clock` | `seconds`; `unix` |
//! | `log-in` | `identity`, `scopes`, `client`: gives an `access_token` |
//! | `expire-sessions`, `revoke-consents`, `revoke-token`, `revoke-tokens`, `forget-browser` | `identity`; `token` |
//! | `grant-consents` | `identity`, `scopes`, `client` |
//! | `fail` | which requests: `service`, `operation` or `kind`, `times`. How: `status`, `body`, `content_type`, `retry_after`, `delay_ms`, `reset`; `requires`, what a login has to satisfy, which the service says in its own form; or `challenge`, the id of a real service's |
//! | `limit` | 429 with `retry_after` for the `next` requests, or for `every` so many; of a `service`, `operation` or `kind` |
//! | `break-back-end` | the next `connections` to the HTTPS server of a `collection` meet a 404 that stays: `error` is `endpoint_error` or `internal_error` |
//! | `ignore-lone-mfa` | `ignore`: Auth ignores a second factor that is required alone |
//! | `clear-faults`, `reset`, `load` | `state`: what `GET state` gave |
//! | `set-person` | `login` (`browser`, `approve` or `decline`), `delay_ms`, `picks`, `mfa` |
//! | `add-identity`, `add-client`, `add-collection`, `add-flow`, `add-group`, `add-compute-endpoint` | as in a [`Config`] |
//!
//! | `GET /_fake/...` | |
//! | --- | --- |
//! | `health`, `environment`, `clock`, `state`, `counts`, `violations`, `challenges` | |
//! | `requests` | `operation`, `kind`; waits until there are `at_least` so many, for `timeout_ms` |
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod actions;
mod additions;
mod app;
mod auth;
mod browser;
mod builder;
mod challenges;
mod clock;
mod collection;
mod command;
mod compute;
mod config;
mod consent;
mod control;
mod cors;
mod fault;
mod flows;
mod form;
mod gare;
mod gcs;
mod given;
mod groups;
#[cfg(any(doc, doctest))]
pub mod guide;
mod https;
mod identity;
mod limit;
mod listen;
mod observe;
mod person;
mod record;
mod sample;
mod scope;
mod search;
mod secret;
mod server;
mod service;
mod session;
mod stable_id;
mod state;
mod template;
mod timers;
mod transfer;
mod unattended;
mod world;

pub use browser::{Browser, BrowserError, Page};
pub use builder::{FakeGlobusBuilder, StartError};
pub use clock::Clock;
pub use collection::{Collection, ErrorShape, Policy};
pub use compute::ComputeEndpoint;
pub use config::Config;
pub use flows::Flow;
pub use groups::Group;
pub use identity::Identity;
pub use limit::Limit;
pub use person::Person;
pub use record::{Counts, RequestKind, SeenRequest, Violation, ViolationKind};
pub use sample::Sample;
pub use server::{FakeGlobus, ShutdownError, UnknownError};
pub use service::EXPECT_USER;

// The example of the README is compiled like any other.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
