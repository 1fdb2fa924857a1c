//! The unchanged Python SDK and `globus` command line, against `FakeGlobus` and as a reference.

mod clients;
mod compute;
mod fuzz_inputs;
mod gare;
mod guide;
mod jobs;
mod listing;
mod scopes;
mod services;
mod shapes;
mod shapes_of_services;
mod store;
mod support;
mod urls;
