//! Issues tokens.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::scope::{self, Scope, resource_server};
use crate::secret;
use crate::service::Service;
use crate::session::Session;
use crate::state::{Grant, State, Token};
use crate::world::World;

use super::{Auth, id_token};

/// The lifetime of an access token: two days, as in Globus Auth.
pub(super) const ACCESS_LIFE: Duration = Duration::from_secs(172_800);

/// Tokens for one resource server.
pub(super) struct Issued {
    resource_server: String,
    scopes: Vec<String>,
    pub(super) access: String,
    refresh: Option<String>,
}

/// Issues tokens for each resource server of the grant's scopes: first for Auth, then in the order
/// of the scopes.
pub(super) fn issue(world: &World, state: &mut State, grant: &Grant) -> Vec<Issued> {
    state.forget_ended(world.clock.now());
    let mut servers: Vec<(String, Vec<String>)> = Vec::new();
    for scope in &grant.scopes {
        let server = resource_server(&scope.name).unwrap_or(&scope.name);
        match servers.iter_mut().find(|(known, _)| known == server) {
            Some((_, scopes)) if scopes.contains(&scope.name) => {}
            Some((_, scopes)) => scopes.push(scope.name.clone()),
            None => servers.push((server.to_owned(), vec![scope.name.clone()])),
        }
    }
    servers.sort_by_key(|(server, _)| server != Auth::RESOURCE_SERVER);
    let issue = |(server, scopes): (String, Vec<String>)| Issued {
        access: store(world, state, grant, &server, &scopes, false),
        refresh: grant
            .offline
            .then(|| store(world, state, grant, &server, &scopes, true)),
        resource_server: server,
        scopes,
    };
    servers.into_iter().map(issue).collect()
}

/// Issues an access token for a refresh token, with the same resource server and session.
pub(super) fn renew(world: &World, state: &mut State, refresh: &str, of: &Token) -> Issued {
    state.forget_ended(world.clock.now());
    Issued {
        access: store(
            world,
            state,
            &of.grant,
            &of.resource_server,
            &of.scopes,
            false,
        ),
        refresh: Some(refresh.to_owned()),
        resource_server: of.resource_server.clone(),
        scopes: of.scopes.clone(),
    }
}

fn store(
    world: &World,
    state: &mut State,
    grant: &Grant,
    resource_server: &str,
    scopes: &[String],
    is_refresh: bool,
) -> String {
    let secret = format!("Ag{}", secret::random(70));
    let now = world.clock.now();
    let token = Token {
        grant: grant.clone(),
        resource_server: resource_server.to_owned(),
        scopes: scopes.to_vec(),
        is_refresh,
        issued: now,
        expires: (!is_refresh).then(|| now + ACCESS_LIFE),
        revoked: false,
    };
    state.tokens.insert(secret.clone(), token);
    secret
}

/// The token document: one token at the root, the others in `other_tokens`.
pub(super) fn document(
    world: &World,
    state: &State,
    grant: &Grant,
    issued: &[Issued],
    nonce: Option<&str>,
) -> Value {
    let Some((first, others)) = issued.split_first() else {
        return json!({});
    };
    let mut document = first.document();
    if let Value::Object(fields) = &mut document {
        fields.insert(
            "other_tokens".to_owned(),
            others.iter().map(Issued::document).collect(),
        );
        let wants_id = grant.scopes.iter().any(|scope| scope.name == "openid");
        if let Some(user) = state.user(grant.user).filter(|_| wants_id) {
            match id_token::sign(world, grant, user, nonce) {
                Ok(token) => fields.insert("id_token".to_owned(), token.into()),
                Err(problem) => fields.insert("id_token_error".to_owned(), problem.into()),
            };
        }
    }
    document
}

impl Issued {
    pub(super) fn document(&self) -> Value {
        let mut document = json!({
            "access_token": self.access,
            "scope": self.scopes.join(" "),
            "resource_server": self.resource_server,
            "expires_in": ACCESS_LIFE.as_secs(),
            "token_type": "Bearer",
        });
        if let (Value::Object(fields), Some(refresh)) = (&mut document, &self.refresh) {
            fields.insert("refresh_token".to_owned(), refresh.as_str().into());
        }
        document
    }
}

/// Parses scopes, and checks that a service has each of them.
pub(crate) fn known_scopes(text: &str) -> Result<Vec<Scope>, String> {
    let scopes = scope::parse(text)?;
    if scopes.is_empty() {
        return Err("no scope is requested".to_owned());
    }
    match scopes
        .iter()
        .find(|scope| resource_server(&scope.name).is_none())
    {
        Some(unknown) => Err(format!("unknown_scope: {}", unknown.name)),
        None => Ok(scopes),
    }
}

/// Implements `FakeGlobus::issue_token`.
pub(crate) fn without_login(
    world: &World,
    client: Uuid,
    identity: Uuid,
    scopes: &str,
) -> Result<String, String> {
    let scopes = known_scopes(scopes)?;
    let now = world.clock.now();
    let mut state = world.state();
    let user = state
        .user_of_identity(identity)
        .ok_or("the server has no such identity")?
        .id();
    state.consents.grant(user, client, &scopes, now);
    let session = Arc::new(Session::of_one(identity, now));
    // The service of the first scope. In `issued`, Auth comes first.
    let first = scopes
        .first()
        .and_then(|scope| resource_server(&scope.name))
        .map(ToOwned::to_owned);
    let grant = Grant {
        id: Uuid::new_v4(),
        client,
        user,
        session,
        scopes,
        offline: false,
        via: None,
    };
    let issued = issue(world, &mut state, &grant);
    let found = issued
        .into_iter()
        .find(|issued| Some(&issued.resource_server) == first.as_ref());
    found
        .map(|issued| issued.access)
        .ok_or_else(|| "no scope is requested".to_owned())
}
