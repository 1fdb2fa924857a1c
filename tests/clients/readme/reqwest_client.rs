//! As it stands in the README.

use globus_gare::{Reauthenticator, Session, reqwest::GareMiddleware};

pub(crate) fn client(app: impl Reauthenticator) -> reqwest_middleware::ClientWithMiddleware {
    let session = Session::builder(app).one_person(); // the program sets its user's token itself
    let login = GareMiddleware::from_session(session.build());
    let http = reqwest_middleware::ClientBuilder::new(reqwest::Client::new());
    http.with(login).build() // reqwest-retry goes before it, tracing after it
}
