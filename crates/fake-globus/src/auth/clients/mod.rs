//! The API of clients. A client belongs to a project, to a parent client, or to neither.

mod calls;
mod credentials;
mod instance;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::given::{given, set};
use crate::identity::User;
use crate::secret;
use crate::state::{Client, State as ServerState};

use super::error::{self, AuthError};

pub(super) use calls::{create, delete, list, one, update};
pub(super) use credentials::{
    create as create_credential, delete as delete_credential, list as credentials,
};

/// Details of a client.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Details {
    pub(super) project: Option<Uuid>,
    /// The client that created it.
    parent: Option<Uuid>,
    client_type: Option<ClientType>,
    is_private: bool,
    links: Links,
    required_idp: Option<Uuid>,
    preselect_idp: Option<Uuid>,
    fqdns: Vec<String>,
    pub(super) credentials: Vec<Credential>,
}

/// A secret besides the first one.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Credential {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) created: String,
    pub(super) secret: String,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the secret.
        f.debug_struct("Credential")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Links {
    privacy_policy: Option<String>,
    terms_and_conditions: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ClientType {
    ConfidentialClient,
    PublicInstalledClient,
    PublicWebappClient,
    ClientIdentity,
    ResourceServer,
    GlobusConnectServer,
    HybridConfidentialClientResourceServer,
}

impl ClientType {
    /// Whether the client cannot keep a secret.
    fn is_public(self) -> bool {
        matches!(self, Self::PublicInstalledClient | Self::PublicWebappClient)
    }
}

/// The fields of a request that creates or changes a client.
#[derive(Debug, Deserialize)]
pub(super) struct Fields {
    name: Option<String>,
    project: Option<Uuid>,
    template_id: Option<Value>,
    public_client: Option<bool>,
    client_type: Option<ClientType>,
    visibility: Option<Visibility>,
    redirect_uris: Option<Vec<String>>,
    links: Option<Links>,
    #[serde(default, deserialize_with = "given")]
    required_idp: Option<Option<Uuid>>,
    #[serde(default, deserialize_with = "given")]
    preselect_idp: Option<Option<Uuid>>,
    fqdns: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Visibility {
    Public,
    Private,
}

#[derive(Debug, Deserialize)]
pub(super) struct ClientBody {
    client: Fields,
}

impl Fields {
    /// The type of a new client, from `client_type` or `public_client`.
    fn kind(&self) -> Result<ClientType, AuthError> {
        match (self.client_type, self.public_client) {
            (Some(kind), None) => Ok(kind),
            (None, Some(true)) => Ok(ClientType::PublicInstalledClient),
            (None, Some(false)) => Ok(ClientType::ConfidentialClient),
            _ => Err(error::bad_request(
                "either public_client or client_type is required",
            )),
        }
    }

    fn apply(self, client: &mut Client, details: &mut Details) {
        let is_private = self.visibility.map(|given| given == Visibility::Private);
        set(&mut client.name, self.name);
        set(&mut client.redirect_uris, self.redirect_uris);
        set(&mut details.project, self.project.map(Some));
        set(&mut details.is_private, is_private);
        set(&mut details.links, self.links);
        set(&mut details.required_idp, self.required_idp);
        set(&mut details.preselect_idp, self.preselect_idp);
        set(&mut details.fqdns, self.fqdns);
    }
}

/// The document of a client.
pub(super) fn document(state: &ServerState, client: &Client) -> Value {
    let default = Details::default();
    let details = state.auth.clients.get(&client.id).unwrap_or(&default);
    let is_public = client.secret.is_none();
    let kind = details.client_type.unwrap_or(if is_public {
        ClientType::PublicInstalledClient
    } else {
        ClientType::ConfidentialClient
    });
    let grant_types: &[&str] = if is_public {
        &["authorization_code", "refresh_token"]
    } else {
        &[
            "authorization_code",
            "client_credentials",
            "refresh_token",
            "urn:globus:auth:grant_type:dependent_token",
        ]
    };
    let scopes = state.auth.scopes.iter();
    let scopes = scopes.filter(|scope| scope.client == client.id);
    json!({
        "id": client.id,
        "name": client.name,
        "project": details.project,
        "parent_client": details.parent,
        "client_type": kind,
        "public_client": is_public,
        "visibility": if details.is_private { "private" } else { "public" },
        "redirect_uris": client.redirect_uris,
        "links": details.links,
        "required_idp": details.required_idp,
        "preselect_idp": details.preselect_idp,
        "fqdns": details.fqdns,
        "grant_types": grant_types,
        "scopes": scopes.map(|scope| scope.id).collect::<Vec<_>>(),
        "prompt_for_named_grant": true,
        "userinfo_from_effective_identity": true,
    })
}

/// A client that `user` manages.
pub(super) fn managed(state: &ServerState, user: &User, id: &str) -> Result<Client, AuthError> {
    let client = id.parse::<Uuid>().ok();
    let client = client.and_then(|id| state.clients.get(&id));
    let managed = client.filter(|client| {
        let details = state.auth.clients.get(&client.id);
        state
            .auth
            .manages(user, details.and_then(|details| details.project))
    });
    managed
        .cloned()
        .ok_or_else(|| error::not_found("no such client"))
}

/// Registers a client. A confidential client gets an identity of its own, and a random secret.
fn register(state: &mut ServerState, fields: Fields, kind: ClientType, details: Details) -> Client {
    let mut client = Client {
        id: Uuid::new_v4(),
        name: String::new(),
        secret: (!kind.is_public()).then(|| secret::random(40)),
        redirect_uris: Vec::new(),
    };
    let mut details = Details {
        client_type: Some(kind),
        ..details
    };
    fields.apply(&mut client, &mut details);
    if client.secret.is_some() {
        state.users.push(User::of_client(client.id));
    }
    state.auth.clients.insert(client.id, details);
    state.clients.insert(client.id, client.clone());
    client
}
