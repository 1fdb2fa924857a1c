//! An embedded Globus on loopback, for tests and demonstrations.
//!
//! [`FakeGlobus`] is a real HTTP server on 127.0.0.1. The program `fake-globus` is the same server
//! for tests in other languages. Transfer works on real directories. Auth logs people in, on a page
//! in a browser or through an automatic person, and issues tokens with sessions. A collection can
//! require a recent login, a domain, identities, a second factor, policies or a consent. The
//! challenges have the form of the real services. Programs written for Globus run unchanged, the
//! official Python SDK and the `globus` command line among them.
//!
//! # Rules
//! - A session belongs to the login that created it. A refresh does not make the session younger.
//!   After another login the *new* tokens have a fresh session; old tokens keep theirs.
//! - There is one browser for all logins. A login without `prompt=login` reuses an authentication
//!   of that browser if it satisfies the requirement; the session is then as old as that
//!   authentication.
//! - Consents are kept per user and client. A new consent also counts for tokens that were issued
//!   before.
//! - A code works once, for ten minutes, for its client, redirect URI and PKCE verifier.
//!
//! # Endpoints
//! Auth and Transfer share one origin; each other service has its own. An endpoint that is not
//! listed answers 501, in the error form of its service: Search, the action providers and the web
//! application serve no endpoint yet. Any service can be told to answer with a
//! [challenge](#the-control-plane) that has any requirement.
//!
//! | Transfer, under `/v0.10` or `/` | |
//! | --- | --- |
//! | `GET operation/endpoint/{id}/ls` | `path`, `show_hidden`, `orderby`, `filter`, `limit`, `offset` |
//! | `GET operation/endpoint/{id}/stat` | `path` |
//! | `POST operation/endpoint/{id}/mkdir`, `POST operation/endpoint/{id}/rename` | |
//! | `GET submission_id`, `POST delete`, `POST transfer` | a task has ended when its submission is answered; a transfer takes `sync_level`, `filter_rules`, `delete_destination_extra`, `skip_source_errors`, `preserve_timestamp` |
//! | `GET task_list` | the caller's own, with `filter`, `orderby`, `limit`, `offset` |
//! | `GET`, `PUT task/{id}`, `GET task/{id}/event_list`, `/successful_transfers`, `/skipped_errors`, `POST task/{id}/cancel` | |
//! | `GET`, `PUT endpoint/{id}`, `PUT endpoint/{id}/subscription`, `/subscription_admin_verified` | a change is shown and has no effect on access |
//! | `GET endpoint_search` | `filter_fulltext`, `filter_scope`, `filter_owner_id`, `filter_entity_type`, `filter_non_functional`, `limit`, `offset` |
//! | `GET endpoint/{id}/access_list`, `POST endpoint/{id}/access`, `GET`, `PUT`, `DELETE endpoint/{id}/access/{rule}` | a rule is stored and has no effect on access |
//! | `GET bookmark_list`, `POST bookmark`, `GET`, `PUT`, `DELETE bookmark/{id}` | the caller's own |
//! | `/v2/bookmarks`, `/v2/tunnels`, `/v2/tunnels/{id}/events`, `/v2/stream_access_points` | in the form of JSON:API; a tunnel carries no bytes |
//!
//! | Auth | |
//! | --- | --- |
//! | `GET /v2/oauth2/authorize` | with PKCE and the `session_*` parameters |
//! | `POST /v2/oauth2/token` | `authorization_code`, `refresh_token`, `client_credentials`, dependent tokens |
//! | `POST /v2/oauth2/token/revoke`, `/introspect`, `/validate` | introspection for clients with a secret |
//! | `GET /v2/oauth2/userinfo`, `/.well-known/openid-configuration`, `/jwk.json` | |
//! | `GET /v2/api/identities`, `/v2/api/identities/{id}/consents`, `/v2/api/identity_providers` | |
//! | `/v2/api/projects`, `/v2/api/policies`, `/v2/api/clients`, `/v2/api/clients/{id}/credentials`, `/v2/api/scopes` | with the scope `manage_projects`. A changed policy takes effect at once |
//! | `POST /v2/api/clients` without a token | an instance of a native client, or a child of a confidential client |
//!
//! | The HTTPS server of a collection: `https_server` in the collection's document | |
//! | --- | --- |
//! | `GET`, `HEAD` of a path | with `Range`; without a token for `https://auth.globus.org/scopes/{id}/https`, 302 to Auth |
//! | `PUT`, `DELETE` of a path | |
//!
//! | Flows | |
//! | --- | --- |
//! | `GET flows`, `flows/{id}` | `filter_fulltext`, `per_page`, `marker` |
//! | `POST flows/{id}/run`, `flows/{id}/validate_run`, `runs/{id}/resume` | with a token of the flow's own resource server |
//! | `GET runs`, `runs/{id}`, `runs/{id}/definition`, `runs/{id}/log` | the caller's own |
//! | `POST runs/{id}/cancel`, `runs/{id}/release` | |
//!
//! A run uses the collections whose ids are in its input. It is inactive while one of them requires
//! a consent, or a login that the session of the run's token does not satisfy; its `details` then
//! hold the requirement.
//!
//! | Timers | |
//! | --- | --- |
//! | `POST v2/timer`, `jobs/` | timers of transfers and flows; `jobs/` takes the older form |
//! | `GET jobs/`, `jobs/{id}`; `DELETE jobs/{id}` | the caller's own |
//! | `POST jobs/{id}/pause`, `jobs/{id}/resume` | `update_credentials` |
//!
//! A timer runs by the [`Clock`], with the session of the token that created it. If that session is
//! too old or a consent is missing, `inactive_reason` holds the requirement.
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
//! | `GET v2/tasks/{id}`, `v2/taskgroup/{id}`, `POST v2/batch_status` | the caller's own |
//!
//! | The GCS Manager API of the endpoint that hosts all collections: service `gcs`, under `/api` | |
//! | --- | --- |
//! | `GET info`, `endpoint` | |
//! | `GET collections`, `storage_gateways`, `user_credentials`, and each of them by id | by id, the session must satisfy the collection |
//!
//! # The control plane
//! A program in another language controls the server over HTTP, as a Rust test does with methods.
//! The control plane is on the origin of every service. Fields are members of a JSON document in
//! the body; an unknown field is an error. Requests of web pages are rejected.
//!
//! | `POST /_fake/...` | fields |
//! | --- | --- |
//! | `advance-clock` | `seconds` |
//! | `set-clock` | `unix`, the new time in seconds since 1970 |
//! | `log-in` | `identity`, `scopes`, `client`: returns an `access_token` |
//! | `expire-sessions` | `identity` (default: all) |
//! | `revoke-consents` | `identity` |
//! | `grant-consents` | `identity`, `scopes`, `client` |
//! | `revoke-token` | `token` |
//! | `revoke-tokens` | none: revokes all tokens |
//! | `forget-browser` | none: logs the browser out |
//! | `fail` | which requests: `service`, `operation` or `kind`, `times`. The response: `status`, `body`, `content_type`, `retry_after`, `delay_ms`, `reset`; `requires`, the requirement of a challenge in the service's own form; or `challenge`, the id of a challenge of a real service |
//! | `limit` | 429 with `retry_after` for the `next` requests, or for one request in `every`; of a `service`, `operation` or `kind` |
//! | `break-back-end` | on the next `connections` to the HTTPS server of a `collection`, every request is answered 404; `error` is `endpoint_error` or `internal_error` |
//! | `ignore-lone-mfa` | `ignore`: Auth ignores a required second factor without identities or a domain |
//! | `clear-faults` | none: removes faults, limits and broken back ends |
//! | `reset` | none: restores the state and the clock of the start, and clears the log |
//! | `load` | `state`: the document that `GET state` returned |
//! | `set-person` | `login` (`browser`, `approve` or `decline`), `delay_ms`, `picks`, `mfa` |
//! | `add-identity`, `add-client`, `add-collection`, `add-flow`, `add-group`, `add-compute-endpoint` | as in a [`Config`] |
//!
//! | `GET /_fake/...` | |
//! | --- | --- |
//! | `health`, `environment`, `clock`, `state`, `counts`, `violations`, `challenges` | |
//! | `requests` | `operation`, `kind`; waits for `at_least` of them, for at most `timeout_ms` (default 10,000) |
//!
//! These fields select requests:
//!
//! | field | values |
//! | --- | --- |
//! | `service` | the name in the official Python SDK: `auth`, `transfer`, `groups`, `search`, `flows`, `timer`, `compute`, `gcs`, `actions`, `app`; `https` for the HTTPS servers of collections |
//! | `operation` | the name of the call in the official Python SDK, such as `operation_ls`, `submit_transfer`, `oauth2_token` or `run_flow` |
//! | `kind` | a [`RequestKind`] in snake case: `authorize`, `decision`, `token`, `revoke`, `user_info`, `other_auth`, `list`, `stat`, `make_directory`, `submit`, `other_transfer`, `other_service` |
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
mod error;
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
pub use error::{ShutdownError, UnknownError};
pub use flows::Flow;
pub use groups::Group;
pub use identity::Identity;
pub use limit::Limit;
pub use person::Person;
pub use record::{Counts, RequestKind, SeenRequest, Violation, ViolationKind};
pub use sample::Sample;
pub use server::FakeGlobus;
pub use service::EXPECT_USER;

// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
