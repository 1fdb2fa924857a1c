//! The document: what a Globus Auth requirements error says, and where it hides.
#![allow(missing_docs)]
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Extra;
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Gare {
    pub code: String,
    pub authorization_parameters: AuthorizationParameters,
    pub extra: Extra,
}
impl Gare {
    pub fn new(code: impl Into<String>, p: AuthorizationParameters) -> Self {
        Self { code: code.into(), authorization_parameters: p, extra: Extra }
    }
}
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct AuthorizationParameters {
    pub session_message: Option<String>,
    pub session_required_identities: Vec<String>,
    pub session_required_policies: Vec<String>,
    pub session_required_single_domain: Vec<String>,
    pub session_required_mfa: bool,
    pub required_scopes: Vec<String>,
    pub prompt: Option<String>,
    pub extra: Extra,
}
impl AuthorizationParameters {
    pub fn is_empty(&self) -> bool {
        self.required_scopes.is_empty()
            && self.session_required_policies.is_empty()
            && self.session_required_single_domain.is_empty()
            && self.session_required_identities.is_empty()
            && !self.session_required_mfa
            && self.prompt.is_none()
    }
    pub fn requires_session(&self) -> bool {
        self.required_scopes.is_empty()
            || !self.session_required_policies.is_empty()
            || !self.session_required_single_domain.is_empty()
            || !self.session_required_identities.is_empty()
            || self.session_required_mfa
            || self.prompt.is_some()
    }
    pub fn to_query(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Location(&'static str);
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Found {
    pub gare: Gare,
    pub location: Location,
}
pub fn detect(body: &[u8]) -> Vec<Found> {
    let Ok(v) = serde_json::from_slice::<serde_json::Value>(body) else { return Vec::new() };
    let Some(p) = v.get("authorization_parameters") else { return Vec::new() };
    let list = |n: &str| {
        p.get(n)
            .and_then(|l| l.as_array())
            .map(|l| l.iter().filter_map(|s| s.as_str().map(String::from)).collect())
            .unwrap_or_default()
    };
    let params = AuthorizationParameters {
        session_message: p.get("session_message").and_then(|m| m.as_str()).map(String::from),
        session_required_policies: list("session_required_policies"),
        session_required_single_domain: list("session_required_single_domain"),
        required_scopes: list("required_scopes"),
        session_required_mfa: p.get("session_required_mfa").is_some_and(|b| b.as_bool() == Some(true)),
        ..Default::default()
    };
    vec![Found {
        gare: Gare::new(v.get("code").and_then(|c| c.as_str()).unwrap_or("AuthorizationRequired"), params),
        location: Location("root"),
    }]
}
pub fn coalesce(gares: impl IntoIterator<Item = Gare>) -> Vec<Gare> {
    let mut out: Vec<Gare> = Vec::new();
    for gare in gares {
        let p = &gare.authorization_parameters;
        let plain = |p: &AuthorizationParameters| {
            !p.is_empty()
                && !p.session_required_mfa
                && p.session_required_single_domain.is_empty()
                && p.session_required_identities.is_empty()
                && p.prompt.is_none()
        };
        if let Some(first) = out.iter_mut().find(|g| plain(&g.authorization_parameters)).filter(|_| plain(p)) {
            let q = &mut first.authorization_parameters;
            for s in &p.session_required_policies {
                if !q.session_required_policies.contains(s) {
                    q.session_required_policies.push(s.clone())
                }
            }
            for s in &p.required_scopes {
                if !q.required_scopes.contains(s) {
                    q.required_scopes.push(s.clone())
                }
            }
        } else if !out.contains(&gare) {
            out.push(gare)
        }
    }
    out
}
