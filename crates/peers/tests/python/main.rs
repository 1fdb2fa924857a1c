//! The official Python SDK and `globus` command line, unchanged: against `FakeGlobus`, and as a reference for this project.

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
