//! `GET /v2/oauth2/authorize`: the login page, and the answer of the person.

use std::time::Duration;

use axum::extract::{Form, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use url::{Host, Url};
use uuid::Uuid;

use crate::scope::Scope;
use crate::secret;
use crate::state::{Client, Ticket};
use crate::world::{Shared, World};

use super::params::Params;
use super::requirement::Requirement;
use super::{AUTH_CODE, decide, grant, page};

/// How long a login page can be answered.
const TICKET_LIFE: Duration = Duration::from_secs(30 * 60);

/// A valid authorize request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LoginRequest {
    pub(super) client: Client,
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    pub(super) scopes: Vec<Scope>,
    pub(super) challenge: Option<String>,
    pub(super) offline: bool,
    /// `prompt=login`: an earlier authentication in this browser does not count.
    pub(super) fresh: bool,
    pub(super) requirement: Requirement,
    pub(super) message: Option<String>,
    pub(super) nonce: Option<String>,
}

pub(super) async fn authorize(
    State(world): State<Shared>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, Response> {
    let request = check(&world, &Params(pairs))
        .map_err(|problem| page::error(StatusCode::BAD_REQUEST, &problem))?;
    let person = world.state().person.clone();
    // A person in a browser has no configured delay.
    if !person.automatic {
        return Ok(show(&world, request, None));
    }
    tokio::time::sleep(person.delay).await;
    Ok(see_other(
        StatusCode::FOUND,
        &decide::automatic(&world, &request, &person),
    ))
}

pub(super) async fn decision(
    State(world): State<Shared>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Response {
    let params = Params(pairs);
    let ticket = world.state().tickets.remove(params.first("ticket"));
    // A ticket protects the form against forged requests. It takes one answer.
    let Some(request) = ticket
        .filter(|ticket| world.clock.now() < ticket.expires)
        .map(|ticket| ticket.request)
    else {
        return page::error(
            StatusCode::FORBIDDEN,
            "This login page was already answered, or it was open for more than 30 minutes.",
        );
    };
    if params.first("decision") != "approve" {
        return see_other(
            StatusCode::SEE_OTHER,
            &decide::deny(&world, &request, "the user denied the request"),
        );
    }
    let Ok(identity) = params.first("identity").parse::<Uuid>() else {
        return show(&world, request, Some("Choose an identity to log in with."));
    };
    let mfa = params.first("mfa") == "yes" && world.state().person.has_mfa;
    match decide::approve(&world, &request, identity, mfa) {
        Ok(location) => see_other(StatusCode::SEE_OTHER, &location),
        Err(problem) => show(&world, request, Some(&problem)),
    }
}

/// The page that shows the code, for a program that has no redirect URI of its own.
pub(super) async fn auth_code(Query(pairs): Query<Vec<(String, String)>>) -> Response {
    let params = Params(pairs);
    match params.first("code") {
        "" => page::error(
            StatusCode::OK,
            &format!("The login failed: {}", params.first("error")),
        ),
        code => page::code(code),
    }
}

fn show(world: &World, request: LoginRequest, problem: Option<&str>) -> Response {
    let ticket = secret::random(40);
    let mut state = world.state();
    let now = world.clock.now();
    let shown = page::login(&request, &state.users, &ticket, problem);
    state.tickets.retain(|_, ticket| now < ticket.expires);
    state.tickets.insert(
        ticket,
        Ticket {
            request,
            expires: now + TICKET_LIFE,
        },
    );
    shown
}

fn see_other(status: StatusCode, location: &str) -> Response {
    (
        status,
        [
            (header::LOCATION, location),
            (header::CACHE_CONTROL, "no-store"),
        ],
    )
        .into_response()
}

fn check(world: &World, params: &Params) -> Result<LoginRequest, String> {
    let id: Uuid = params
        .required("client_id")?
        .parse()
        .map_err(|_| "client_id is not a UUID")?;
    let client = world
        .state()
        .clients
        .get(&id)
        .cloned()
        .ok_or("there is no client with this client_id")?;
    let redirect_uri = params.required("redirect_uri")?.to_owned();
    if !may_redirect(world, &client, &redirect_uri) {
        return Err("redirect_uri is not registered for this client".to_owned());
    }
    if params.required("response_type")? != "code" {
        return Err("response_type must be code".to_owned());
    }
    let scopes = grant::known_scopes(params.required("scope")?)?;
    Ok(LoginRequest {
        state: params.one("state")?.map(ToOwned::to_owned),
        challenge: challenge(params, &client)?,
        offline: match params.one("access_type")? {
            // The JavaScript SDK requests refresh tokens by this scope.
            None | Some("online") => scopes.iter().any(|scope| scope.name == "offline_access"),
            Some("offline") => true,
            Some(other) => return Err(format!("access_type must not be \"{other}\"")),
        },
        fresh: match params.one("prompt")? {
            None | Some("consent" | "select_account") => false,
            Some("login") => true,
            Some(other) => return Err(format!("prompt must not be \"{other}\"")),
        },
        requirement: Requirement::parse(params, world)?,
        message: match params.one("session_message")? {
            Some("") => return Err("session_message must not be empty".to_owned()),
            message => message.map(ToOwned::to_owned),
        },
        nonce: params.one("nonce")?.map(ToOwned::to_owned),
        client,
        redirect_uri,
        scopes,
    })
}

fn challenge(params: &Params, client: &Client) -> Result<Option<String>, String> {
    let method = params.one("code_challenge_method")?;
    match params.one("code_challenge")? {
        None if client.secret.is_none() => {
            Err("a native client must send a code_challenge".to_owned())
        }
        None => Ok(None),
        Some(_) if method != Some("S256") => Err("code_challenge_method must be S256".to_owned()),
        Some(challenge) if challenge.len() != 43 => {
            Err("code_challenge is not a SHA-256 digest".to_owned())
        }
        Some(challenge) => Ok(Some(challenge.to_owned())),
    }
}

/// Whether a client may be redirected to `uri`: to the page that shows the code, to a registered
/// redirect URI, or to loopback on any port.
fn may_redirect(world: &World, client: &Client, uri: &str) -> bool {
    let code_page = format!("{}{AUTH_CODE}", world.base);
    let is_code_page = uri == code_page || uri == localhost(&code_page);
    let mut registered = client.redirect_uris.iter();
    if is_code_page || registered.any(|registered| registered == uri) {
        return true;
    }
    let Ok(url) = Url::parse(uri) else {
        return false;
    };
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let plain = url.scheme() == "http" && url.username().is_empty() && url.password().is_none();
    // On the server's own port, no other page may get a code.
    let own = Url::parse(&world.base).is_ok_and(|base| base.port() == url.port());
    is_loopback && plain && url.fragment().is_none() && !own
}

fn localhost(uri: &str) -> String {
    uri.replacen("127.0.0.1", "localhost", 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, FakeGlobusBuilder};

    #[checks::test]
    async fn code_page_of_a_public_url_may_get_a_code() {
        let config = Config::default().public_url("http://globus.test:8000");
        let globus = FakeGlobusBuilder::from(config).start().await;
        let globus = globus.expect("a server");
        let world = globus.world_for_tests();
        let client = world.state().clients[&globus.client_id()].clone();
        for (uri, expected) in [
            ("http://globus.test:8000/v2/web/auth-code", true),
            ("http://globus.test:8000/v2/oauth2/token", false),
            ("http://globus.test:8001/v2/web/auth-code", false),
            ("http://127.0.0.1:1234/callback", true),
        ] {
            assert_eq!(may_redirect(&world, &client, uri), expected, "{uri}");
        }
    }
}
