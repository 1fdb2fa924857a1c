//! All calls to Globus Auth.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use oauth2::basic::{
    BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse,
    BasicTokenIntrospectionResponse,
};
use oauth2::{
    AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, RedirectUrl, RefreshToken, RequestTokenError, Scope,
    StandardRevocableToken, TokenUrl,
};
use serde::Deserialize;
use url::{Url, form_urlencoded};

use super::LoginReply;
use super::authorization::{Attempt, sent};
use super::consents::Consents;
use super::http::{HttpClient, HttpError, answered};
use super::scope::Scopes;
use super::session::{Session, SessionInfo};
use super::store::Secret;
use super::token_response::{Account, TokenAnswer};
use globus_gare::reauth::{Credential, Origin, ReauthError, printable};

/// Globus Auth as a resource server.
pub(super) const SERVER: &str = "auth.globus.org";

/// An OAuth 2 client with the authorization and token endpoints of Globus Auth.
pub(super) type AuthClient = Client<
    BasicErrorResponse,
    TokenAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// The API of Globus Auth, as one of its clients.
pub(super) struct GlobusAuth {
    /// Without the secret: `oauth2` does not wipe it from memory.
    pub(super) client: AuthClient,
    client_secret: Option<Secret>,
    revoke: Url,
    introspect: Url,
    userinfo: Url,
    identities: Url,
    http: HttpClient,
    /// No refresh before this time (`Retry-After`). One for all users: Globus Auth limits the
    /// requests of a client.
    refreshes_again_at: Mutex<Option<SystemTime>>,
}

/// An introspection response (RFC 7662, section 2.2): the members that are used.
#[derive(Deserialize)]
struct Introspection {
    #[serde(default)]
    active: bool,
    #[serde(default)]
    sub: Option<String>,
    /// All identities of the person: another login may use another identity.
    #[serde(default)]
    identity_set: Option<Vec<String>>,
    #[serde(default)]
    session_info: Option<SessionInfo>,
}

impl GlobusAuth {
    /// Makes a client of Globus Auth at `base`, which ends with a slash.
    pub(super) fn new(
        base: &Url,
        client_id: ClientId,
        client_secret: Option<Secret>,
        http: HttpClient,
    ) -> Result<Self, url::ParseError> {
        let endpoint = |path: &str| base.join("v2/oauth2/").and_then(|url| url.join(path));
        let client = Client::new(client_id)
            .set_auth_uri(AuthUrl::from_url(endpoint("authorize")?))
            .set_token_uri(TokenUrl::from_url(endpoint("token")?));
        Ok(Self {
            client,
            client_secret,
            revoke: endpoint("token/revoke")?,
            introspect: endpoint("token/introspect")?,
            userinfo: endpoint("userinfo")?,
            identities: base.join("v2/api/identities/")?,
            http,
            refreshes_again_at: Mutex::default(),
        })
    }

    pub(super) fn client_id(&self) -> &str {
        self.client.client_id()
    }

    pub(super) fn origin(&self) -> Result<Origin, ReauthError> {
        let origin = self.identities.as_str().parse();
        origin.map_err(ReauthError::other)
    }

    /// The client with its secret, for a token request.
    fn authenticated(&self) -> AuthClient {
        let client = self.client.clone();
        match &self.client_secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose().to_owned())),
            None => client,
        }
    }

    /// Exchanges the code of a reply for tokens (RFC 6749, section 4.1.3; RFC 7636, section 4.5).
    pub(super) async fn exchange_code(
        &self,
        attempt: &Attempt,
        reply: LoginReply,
    ) -> Result<TokenAnswer, ReauthError> {
        let (code, redirect_uri) = attempt.page().code(reply)?;
        self.redeem(code, redirect_uri, attempt.verifier()).await
    }

    /// Exchanges a code for tokens.
    pub(super) async fn redeem(
        &self,
        code: AuthorizationCode,
        redirect_uri: RedirectUrl,
        verifier: &Secret,
    ) -> Result<TokenAnswer, ReauthError> {
        let code_sent = code.secret().clone();
        self.authenticated()
            .exchange_code(code)
            .set_redirect_uri(Cow::Owned(redirect_uri))
            .set_pkce_verifier(sent(verifier))
            .request_async(&self.http)
            .await
            .map_err(|error| explain(error, &code_sent))
    }

    /// Gets tokens for the client itself (RFC 6749, section 4.4).
    pub(super) async fn exchange_client_credentials(
        &self,
        scopes: &Scopes,
    ) -> Result<TokenAnswer, ReauthError> {
        let scopes = scopes.iter().map(|scope| Scope::new(scope.to_string()));
        let secret = self.client_secret.as_ref();
        let secret = secret.map_or("", Secret::expose);
        self.authenticated()
            .exchange_client_credentials()
            .add_scopes(scopes)
            .request_async(&self.http)
            .await
            .map_err(|error| explain(error, secret))
    }

    /// Redeems a refresh token (RFC 6749, section 6). `None` if Globus Auth rejects it for good
    /// (`invalid_grant`). Fails without a request while a `Retry-After` runs.
    pub(super) async fn exchange_refresh_token(
        &self,
        token: &Secret,
        now: SystemTime,
    ) -> Result<Option<TokenAnswer>, ReauthError> {
        if self.lock_refreshes().is_some_and(|at| now < at) {
            let message = "no token was requested: Globus Auth said to wait (Retry-After)";
            return Err(ReauthError::unavailable(message));
        }
        let (client, sent) = (
            self.authenticated(),
            RefreshToken::new(token.expose().to_owned()),
        );
        let request = client.exchange_refresh_token(&sent);
        match request.request_async(&self.http).await {
            Ok(answer) => Ok(Some(answer)),
            Err(RequestTokenError::ServerResponse(error))
                if *error.error() == BasicErrorResponseType::InvalidGrant =>
            {
                Ok(None)
            }
            Err(error) => {
                if let RequestTokenError::Request(error) = &error
                    && let Some(wait) = error.retry_after()
                {
                    *self.lock_refreshes() = now.checked_add(wait);
                }
                Err(explain(error, token.expose()))
            }
        }
    }

    fn lock_refreshes(&self) -> MutexGuard<'_, Option<SystemTime>> {
        let lock = self.refreshes_again_at.lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }

    /// The account of a token (OpenID Connect Core 1.0, section 5.3). `None` if the token is no
    /// longer valid.
    pub(super) async fn userinfo(
        &self,
        credential: &Credential,
    ) -> Result<Option<Account>, ReauthError> {
        let failed = "Globus Auth could not be asked who is logged in";
        let get = self
            .http
            .get(&self.userinfo, credential, &[401, 403], failed);
        get.await
    }

    /// Revokes an access token or a refresh token (RFC 7009).
    pub(super) async fn revoke(&self, token: &Secret) -> Result<(), ReauthError> {
        let failed = "Globus Auth did not revoke a token";
        let form = self.form(&self.revoke, &[("token", token.expose())]);
        let answer = self.send(form, failed).await?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(answered(failed, status.as_u16())),
        }
    }

    /// All identities of the person to whom an access token was issued (RFC 7662). Empty for an
    /// unknown token, and for a client without a secret, which may not introspect.
    pub(super) async fn introspect(&self, token: &str) -> Result<BTreeSet<String>, ReauthError> {
        let failed = "Globus Auth could not be asked for the owner of the request's token";
        let told = self.told_of(token, "identity_set", failed).await?;
        let told = told.filter(|told| told.active);
        let identities = told.map(|told| told.identity_set.into_iter().flatten().chain(told.sub));
        Ok(identities.into_iter().flatten().collect())
    }

    /// The Globus Auth session of an access token.
    pub(super) async fn session(&self, token: &Secret) -> Result<Session, ReauthError> {
        let failed = "Globus Auth could not be asked about the session";
        let told = self.told_of(token.expose(), "session_info", failed).await?;
        Ok(match told {
            Some(told) if !told.active => Session::Ended,
            Some(Introspection {
                session_info: Some(session),
                ..
            }) => Session::Known(session.authentications),
            _ => Session::Unknown,
        })
    }

    async fn told_of(
        &self,
        token: &str,
        include: &str,
        failed: &str,
    ) -> Result<Option<Introspection>, ReauthError> {
        if self.client_secret.is_none() {
            return Ok(None);
        }
        let fields = [("token", token), ("include", include)];
        // No answer is an error: it does not mean that the token is unknown.
        let answer = self.send(self.form(&self.introspect, &fields), failed);
        let answer = answer.await?;
        let told = serde_json::from_slice(answer.body()).ok();
        Ok(told.filter(|_| answer.status().is_success()))
    }

    /// A person's consents for this client. `None` if the token may not read them.
    pub(super) async fn consents(
        &self,
        identity: &str,
        credential: &Credential,
    ) -> Result<Option<Consents>, ReauthError> {
        let failed = "Globus Auth could not be asked about consents";
        let mut url = self.identities.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(identity).push("consents");
        }
        let get = self.http.get(&url, credential, &[401, 403, 404], failed);
        get.await
    }

    /// A form request that is authenticated by the client's secret, or has the id of a client
    /// without one.
    fn form(&self, url: &Url, fields: &[(&str, &str)]) -> http::Result<HttpRequest> {
        let mut request = http::Request::post(url.as_str())
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        match &self.client_secret {
            Some(secret) => request = request.header(AUTHORIZATION, self.basic(secret)?),
            None => {
                form.append_pair("client_id", self.client_id());
            }
        }
        request.body(form.finish().into_bytes())
    }

    /// The `Authorization` header of the client: id and secret, each form-encoded (RFC 6749,
    /// section 2.3.1).
    fn basic(&self, secret: &Secret) -> http::Result<HeaderValue> {
        let [id, secret] = [self.client_id(), secret.expose()]
            .map(|text| form_urlencoded::byte_serialize(text.as_bytes()).collect())
            .map(Secret::new);
        let pair = Secret::new(format!("{}:{}", id.expose(), secret.expose()));
        let mut basic = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair.expose())))?;
        basic.set_sensitive(true);
        Ok(basic)
    }

    async fn send(
        &self,
        request: http::Result<HttpRequest>,
        failed: &str,
    ) -> Result<HttpResponse, ReauthError> {
        let request = request.map_err(|error| ReauthError::new(failed).with_source(error))?;
        let answer = self.http.send(request).await;
        answer.map_err(|error| error.explained(failed))
    }
}

/// Converts an error of a token request. The result never holds `sent`, the secret that was sent.
///
/// The error itself cannot be the source: a parse error holds the whole response.
fn explain(error: RequestTokenError<HttpError, BasicErrorResponse>, sent: &str) -> ReauthError {
    match error {
        RequestTokenError::ServerResponse(error) => {
            let code = error.error().as_ref();
            let message = match error.error() {
                BasicErrorResponseType::InvalidGrant => {
                    "Globus Auth did not accept the code: it is wrong, was used before, or has expired"
                }
                _ => "Globus Auth rejected the token request",
            };
            let description = error
                .error_description()
                .map(String::as_str)
                .filter(|text| sent.is_empty() || !text.contains(sent));
            AuthError::new(code, description).explained(message)
        }
        RequestTokenError::Request(error) => {
            error.explained("Globus Auth did not answer a token request")
        }
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => ReauthError::new(
            "Globus Auth answered a token request with a document that is not a token response",
        ),
    }
}

/// An error code of Globus Auth and its description (RFC 6749, sections 4.1.2.1 and 5.2). The text
/// is not trusted: it is shown on one line, and cut.
#[derive(Debug, thiserror::Error)]
#[error("{code}{}", description.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
pub(super) struct AuthError {
    code: String,
    description: Option<String>,
}

impl AuthError {
    pub(super) fn new(code: &str, description: Option<&str>) -> Self {
        Self {
            code: printable(code),
            description: description.map(printable).filter(|text| !text.is_empty()),
        }
    }

    /// Whether Globus Auth rejected the code itself.
    pub(super) fn is_invalid_grant(error: &ReauthError) -> bool {
        let error = error
            .source()
            .and_then(|source| source.downcast_ref::<Self>());
        error.is_some_and(|error| error.code == "invalid_grant")
    }

    /// Converts this into the error of a login.
    pub(super) fn explained(self, message: &str) -> ReauthError {
        match (self.code.as_str(), &self.description) {
            ("access_denied", None) => ReauthError::declined(),
            // The person or Globus Auth declined: the description says which.
            ("access_denied", Some(_)) => ReauthError::declined().with_source(self),
            _ => ReauthError::new(message).with_source(self),
        }
    }
}
