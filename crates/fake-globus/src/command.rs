//! Commands to a server, from the HTTP control plane, a configuration or Rust.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::additions;
use super::auth::grant;
use super::clock::unix;
use super::collection::Collection;
use super::compute::ComputeEndpoint;
use super::fault::Fault;
use super::flows::Flow;
use super::form;
use super::groups::Group;
use super::https::BrokenBackEnd;
use super::identity::{Identity, User};
use super::limit::Limit;
use super::person::Person;
use super::state::{Client, Served, State};
use super::world::{Shared, World};

/// A command of the control plane, with its fields.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Command {
    AddIdentity(Identity),
    AddClient(Client),
    AddCollection(Collection),
    AddFlow(Flow),
    AddGroup(Group),
    AddComputeEndpoint(ComputeEndpoint),
    SetPerson(Person),
    /// Stores consents of a user to these scopes for a client.
    GrantConsents {
        identity: String,
        client: Option<Uuid>,
        scopes: String,
    },
    RevokeConsents {
        identity: String,
    },
    /// Issues an access token without a login page.
    LogIn {
        identity: String,
        client: Option<Uuid>,
        scopes: String,
    },
    /// Makes sessions older than any policy allows: those of one user, or all.
    ExpireSessions {
        identity: Option<String>,
    },
    RevokeToken {
        token: String,
    },
    RevokeTokens {},
    ForgetBrowser {},
    AdvanceClock {
        seconds: f64,
    },
    SetClock {
        unix: u64,
    },
    Fail(Fault),
    /// Answers some of the following requests with 429.
    Limit(Limit),
    /// Breaks a back end of a collection's HTTPS server.
    BreakBackEnd(BrokenBackEnd),
    /// Removes all faults, limits and broken back ends.
    ClearFaults {},
    /// Whether Auth ignores a required second factor without identities or a domain.
    IgnoreLoneMfa {
        #[serde(default = "form::yes")]
        ignore: bool,
    },
    /// Restores the state and the clock that the server started with.
    Reset {},
    /// Restores a dumped state.
    Load {
        state: Box<Dump>,
    },
}

/// The state of a server, without its log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Dump {
    clock_ahead_ms: u64,
    state: State,
}

impl Dump {
    pub(super) fn of(world: &World) -> Self {
        Self {
            clock_ahead_ms: world.clock.ahead_ms(),
            state: world.state().clone(),
        }
    }
}

impl Command {
    /// Applies the command. Returns the document that answers it.
    pub(super) fn apply(self, world: &Shared) -> Result<Value, CommandError> {
        match self {
            Self::AddIdentity(identity) => add_identity(&mut world.state(), identity),
            Self::AddClient(client) => add_client(&mut world.state(), client),
            Self::AddCollection(collection) => add_collection(world, collection),
            Self::AddFlow(flow) => additions::flow(&mut world.state(), flow),
            Self::AddGroup(group) => additions::group(&mut world.state(), group),
            Self::AddComputeEndpoint(endpoint) => {
                additions::compute_endpoint(&mut world.state(), endpoint)
            }
            Self::SetPerson(person) => {
                world.state().person = person;
                Ok(json!({}))
            }
            Self::GrantConsents {
                identity,
                client,
                scopes,
            } => {
                let scopes = grant::known_scopes(&scopes)?;
                let now = world.clock.now();
                let mut state = world.state();
                let client = client_or_first(&state, client)?;
                let user = user(&state, &identity)?.id();
                state.consents.grant(user, client, &scopes, now);
                Ok(json!({}))
            }
            Self::RevokeConsents { identity } => {
                let mut state = world.state();
                let user = user(&state, &identity)?.id();
                state.consents.revoke(user);
                Ok(json!({}))
            }
            Self::LogIn {
                identity,
                client,
                scopes,
            } => {
                let (identity, client) = {
                    let state = world.state();
                    let user = user(&state, &identity)?;
                    let mut identities = user.identities();
                    let named = identities.find(|own| own.is_named(&identity));
                    let id = named.map_or(user.id(), Identity::id);
                    (id, client_or_first(&state, client)?)
                };
                let token = grant::without_login(world, client, identity, &scopes)?;
                Ok(json!({"access_token": token, "client_id": client, "identity": identity}))
            }
            Self::ExpireSessions { identity } => expire_sessions(&mut world.state(), identity),
            Self::RevokeToken { token } => {
                let now = world.clock.now();
                let mut state = world.state();
                let token = state
                    .tokens
                    .get_mut(&token)
                    .ok_or("there is no such token")?;
                token.revoke(now);
                Ok(json!({}))
            }
            Self::RevokeTokens {} => {
                let now = world.clock.now();
                let mut state = world.state();
                state
                    .tokens
                    .values_mut()
                    .for_each(|token| token.revoke(now));
                Ok(json!({}))
            }
            Self::ForgetBrowser {} => {
                world.state().browser.clear();
                Ok(json!({}))
            }
            Self::AdvanceClock { seconds } => {
                let by = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
                world.clock.advance(by);
                Ok(clock(world))
            }
            Self::SetClock { unix } => {
                let at = UNIX_EPOCH.checked_add(Duration::from_secs(unix));
                let at = at.ok_or("the time is too far in the future")?;
                let by = at.duration_since(world.clock.now());
                let by = by.map_err(|_| "the clock never goes back")?;
                // `advance` rounds down to milliseconds, which would show the second before.
                world.clock.advance(by + Duration::from_millis(1));
                Ok(clock(world))
            }
            Self::Fail(fault) => match fault.contradiction(world) {
                Some(contradiction) => Err(contradiction.into()),
                None => {
                    world.state().faults.push_back(fault);
                    Ok(json!({}))
                }
            },
            Self::ClearFaults {} => {
                let mut state = world.state();
                state.faults.clear();
                state.limits.clear();
                state.back_ends.mend();
                Ok(json!({}))
            }
            Self::Limit(limit) => match limit.contradiction(world) {
                Some(contradiction) => Err(contradiction.into()),
                None => {
                    world.state().limits.push(limit);
                    Ok(json!({}))
                }
            },
            Self::BreakBackEnd(broken) => {
                world.state().back_ends.break_one(broken);
                Ok(json!({}))
            }
            Self::IgnoreLoneMfa { ignore } => {
                world.state().ignores_lone_mfa = ignore;
                Ok(json!({}))
            }
            Self::Reset {} => {
                *world.state() = world.initial.get().cloned().unwrap_or_default();
                world.clock.set_ahead_ms(0);
                world.log().clear();
                Ok(json!({}))
            }
            Self::Load { state } => {
                *world.state() = state.state;
                world.clock.set_ahead_ms(state.clock_ahead_ms);
                Ok(json!({}))
            }
        }
    }
}

/// The document of `GET clock`.
pub(super) fn clock(world: &World) -> Value {
    let now = world.clock.now();
    json!({"unix": unix(now), "ahead_ms": world.clock.ahead_ms()})
}

fn add_identity(state: &mut State, identity: Identity) -> Result<Value, CommandError> {
    let user = User::new(identity);
    let known = user
        .identities()
        .find(|own| state.user_of_identity(own.id()).is_some());
    if let Some(known) = known {
        let (name, id) = (known.username(), known.id());
        return Err(format!("two users have the identity {name} ({id})").into());
    }
    let id = user.id();
    state.users.push(user);
    Ok(json!({"id": id}))
}

fn add_client(state: &mut State, client: Client) -> Result<Value, CommandError> {
    let id = client.id;
    if state.clients.contains_key(&id) {
        return Err(format!("two clients have the id {id}").into());
    }
    match client.secret {
        Some(_) => state.users.push(User::of_client(id)),
        None => state.native = state.native.or(Some(id)),
    }
    state.clients.insert(id, client);
    Ok(json!({"id": id}))
}

fn add_collection(world: &Shared, collection: Collection) -> Result<Value, CommandError> {
    let id = collection.id;
    if let Some(contradiction) = collection.contradiction() {
        return Err(contradiction.into());
    }
    let mut state = world.state();
    if state.collection(id).is_some() {
        return Err(format!("two collections have the id {id}").into());
    }
    let root = collection.root.display().to_string();
    // First, because its failure must not leave a server behind.
    let served = Served::open(collection).map_err(|source| CommandError {
        what: format!("cannot open the directory {root}"),
        source: Some(source),
    })?;
    let url = world.https.url(world, id).map_err(|source| CommandError {
        what: format!("cannot listen for the collection {id}"),
        source: Some(source),
    })?;
    state.collections.push(Arc::new(served));
    Ok(json!({"id": id, "https_server": url}))
}

fn expire_sessions(state: &mut State, identity: Option<String>) -> Result<Value, CommandError> {
    let of = match identity {
        Some(identity) => Some(user(state, &identity)?.id()),
        None => None,
    };
    let concerned = |user: Uuid| of.is_none_or(|of| of == user);
    for token in state.tokens.values_mut() {
        if concerned(token.grant.user) {
            token.grant.session = Arc::new(token.grant.session.expired());
        }
    }
    for timer in state
        .timers
        .iter_mut()
        .filter(|timer| concerned(timer.by.user))
    {
        timer.by.session = Arc::new(timer.by.session.expired());
    }
    let browser = std::mem::take(&mut state.browser);
    let kept = browser.into_iter().filter(|(id, _)| {
        let user = state.user_of_identity(*id);
        user.is_some_and(|user| !concerned(user.id()))
    });
    state.browser = kept.collect::<BTreeMap<_, _>>();
    Ok(json!({}))
}

fn user<'s>(state: &'s State, identity: &str) -> Result<&'s User, CommandError> {
    let mut users = state.users.iter();
    let found = users.find(|user| user.identities().any(|own| own.is_named(identity)));
    found.ok_or_else(|| format!("there is no identity {identity}").into())
}

/// The client with this id. Default: the first native client.
fn client_or_first(state: &State, client: Option<Uuid>) -> Result<Uuid, CommandError> {
    match client {
        Some(client) if state.clients.contains_key(&client) => Ok(client),
        Some(client) => Err(format!("there is no client {client}").into()),
        None => state
            .native
            .ok_or_else(|| "there is no native client".into()),
    }
}

/// An error from a command.
#[derive(Debug)]
pub(super) struct CommandError {
    what: String,
    pub(super) source: Option<io::Error>,
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl From<String> for CommandError {
    fn from(what: String) -> Self {
        Self { what, source: None }
    }
}

impl From<&str> for CommandError {
    fn from(what: &str) -> Self {
        what.to_owned().into()
    }
}
