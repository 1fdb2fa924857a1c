//! ID tokens, and the documents for checking them.

use std::fmt;
use std::time::SystemTime;

use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::clock::unix;
use crate::identity::User;
use crate::state::Grant;
use crate::world::{Shared, World};

use super::grant::ACCESS_LIFE;
use super::identities;

/// The signing key of every fake Globus. It protects nothing, so it is public and always the same.
const KEY: &str = include_str!("../../data/id-token-key.pem");

/// The `kid` of the key in the key set.
const KEY_ID: &str = "fake-globus";

/// The key that ID tokens are signed with.
pub(crate) struct SigningKey {
    secret: EncodingKey,
    public: Value,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

impl SigningKey {
    pub(crate) fn new() -> Result<Self, String> {
        // PEM is the DER in Base64, between a first and a last line.
        let lines = KEY.lines().filter(|line| !line.starts_with("-----"));
        let der = STANDARD.decode(lines.collect::<String>());
        let secret = EncodingKey::from_rsa_der(&der.map_err(|error| error.to_string())?);
        let public =
            Jwk::from_encoding_key(&secret, Algorithm::RS512).map_err(|error| error.to_string())?;
        let mut public = serde_json::to_value(public).map_err(|error| error.to_string())?;
        if let Value::Object(fields) = &mut public {
            fields.insert("use".to_owned(), "sig".into());
            fields.insert("kid".to_owned(), KEY_ID.into());
        }
        Ok(Self { secret, public })
    }
}

/// An ID token for a grant. Its `iat` and `exp` use the real time, because a program checks them by
/// its own clock.
pub(super) fn sign(
    world: &World,
    grant: &Grant,
    user: &User,
    nonce: Option<&str>,
) -> Result<String, String> {
    let now = unix(SystemTime::now());
    let has = |scope: &str| grant.scopes.iter().any(|granted| granted.name == scope);
    let primary = &user.primary;
    let mut claims = json!({
        "sub": primary.id(),
        "aud": grant.client,
        "iss": world.base.trim_end_matches('/'),
        "iat": now,
        "exp": now + ACCESS_LIFE.as_secs(),
        "last_authentication": grant.session.latest().map(unix),
    });
    if let Value::Object(fields) = &mut claims {
        fields.extend(identities::claims(primary, has));
        if let Some(nonce) = nonce {
            fields.insert("nonce".to_owned(), nonce.into());
        }
    }
    let mut header = Header::new(Algorithm::RS512);
    header.kid = Some(KEY_ID.to_owned());
    jsonwebtoken::encode(&header, &claims, &world.key.secret).map_err(|error| error.to_string())
}

/// `GET /.well-known/openid-configuration`.
pub(super) async fn configuration(State(world): State<Shared>) -> Json<Value> {
    let base = &world.base;
    Json(json!({
        "issuer": base.trim_end_matches('/'),
        "authorization_endpoint": format!("{base}v2/oauth2/authorize"),
        "token_endpoint": format!("{base}v2/oauth2/token"),
        "revocation_endpoint": format!("{base}v2/oauth2/token/revoke"),
        "introspection_endpoint": format!("{base}v2/oauth2/token/introspect"),
        "userinfo_endpoint": format!("{base}v2/oauth2/userinfo"),
        "jwks_uri": format!("{base}jwk.json"),
        "scopes_supported": ["openid", "email", "profile"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS512"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "claims_supported": ["sub", "name", "preferred_username", "email", "organization", "last_authentication"],
    }))
}

/// `GET /jwk.json`.
pub(super) async fn keys(State(world): State<Shared>) -> Json<Value> {
    Json(json!({"keys": [world.key.public]}))
}
