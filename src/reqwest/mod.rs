//! The `reqwest` middleware: [`GareMiddleware`].

mod answer;
mod body;
mod middleware;
mod template;

pub use self::middleware::GareMiddleware;
