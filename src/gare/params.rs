use std::collections::BTreeSet;

use serde::{Serialize, Serializer};

use super::{Extra, json};

/// The `authorization_parameters` of a GARE: the conditions that a login must meet.
///
/// The [GARE format] defines the fields. An empty list, `false` and `None` set no condition. If no
/// field sets a condition, any fresh login satisfies the requirement.
///
/// Serialization leaves out empty fields. Deserialization takes lists as JSON lists or as
/// comma-separated strings, and fails if a field has another type.
///
/// ```
/// use globus_gare::gare::AuthorizationParameters;
///
/// let params = AuthorizationParameters::default()
///     .with_session_required_policies(["8a1e6f0a-0a57-4d07-8d21-5b9f2c3d4e5f"])
///     .with_session_required_mfa(true);
/// assert!(params.requires_session());
/// assert_eq!(
///     serde_json::to_string(&params)?,
///     r#"{"session_required_policies":["8a1e6f0a-0a57-4d07-8d21-5b9f2c3d4e5f"],"session_required_mfa":true}"#,
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// [GARE format]: https://globus-sdk-python.readthedocs.io/en/stable/authorization/gare.html
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AuthorizationParameters {
    /// The message for the user. It sets no condition. Its author may be a stranger: show it with
    /// [`printable`](crate::reauth::printable).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_message: Option<String>,
    /// Identities that must be in the session: IDs, URNs or usernames.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub session_required_identities: Vec<String>,
    /// Authentication policies that the session must satisfy, all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub session_required_policies: Vec<String>,
    /// Domains: the session must have an identity from one of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub session_required_single_domain: Vec<String>,
    /// Whether the session must include multi-factor authentication. Globus Auth handles this only
    /// together with identities or a domain, according to the Python SDK's documentation of GAREs.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub session_required_mfa: bool,
    /// Scopes that the user must have consented to, all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub required_scopes: Vec<String>,
    /// The OIDC `prompt`. Globus Auth accepts `login` and `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// Fields that this crate does not know. A legacy document may also have a `required_scopes`
    /// that is not a list: it is kept here, because the Python SDK accepts such a document.
    #[serde(flatten, serialize_with = "serialize_extra")]
    pub extra: Extra,
}

/// The names of the fields of [`AuthorizationParameters`]. They are not in its `extra`.
const FIELDS: &str = "session_message session_required_identities session_required_policies \
    session_required_single_domain session_required_mfa required_scopes prompt";

/// The one known field that may be in `extra`: if it is not a list.
pub(super) const REQUIRED_SCOPES: &str = "required_scopes";

/// Whether `name` is a field of [`AuthorizationParameters`] itself.
pub(super) fn is_param(name: &str) -> bool {
    json::is_among(name, FIELDS)
}

fn serialize_extra<S: Serializer>(extra: &Extra, serializer: S) -> Result<S::Ok, S::Error> {
    let has_list = extra.get::<Vec<String>>(REQUIRED_SCOPES).is_some();
    extra.serialize_unknown(serializer, |name| {
        is_param(name) && (name != REQUIRED_SCOPES || has_list)
    })
}

/// Setters for the fields that are lists.
macro_rules! setters {
    ($($(#[$doc:meta])* $setter:ident => $field:ident,)+) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $setter<I: IntoIterator<Item: Into<String>>>(mut self, values: I) -> Self {
            self.$field = values.into_iter().map(Into::into).collect();
            self
        }
    )+};
}

impl AuthorizationParameters {
    /// Sets the message to show to the user.
    #[must_use]
    pub fn with_session_message(mut self, message: impl Into<String>) -> Self {
        self.session_message = Some(message.into());
        self
    }

    setters! {
        /// Sets the identities that must be in the session.
        with_session_required_identities => session_required_identities,
        /// Sets the policies that the session must satisfy.
        with_session_required_policies => session_required_policies,
        /// Sets the domains: the session must have an identity from one of them.
        with_session_required_single_domain => session_required_single_domain,
        /// Sets the scopes that the user must have consented to.
        with_required_scopes => required_scopes,
    }

    /// Sets whether the session must include multi-factor authentication.
    #[must_use]
    pub fn with_session_required_mfa(mut self, required: bool) -> Self {
        self.session_required_mfa = required;
        self
    }

    /// Sets the OIDC `prompt`.
    #[must_use]
    pub fn with_prompt(mut self, prompt: impl Into<String>) -> Self {
        self.prompt = Some(prompt.into());
        self
    }

    /// Whether no field sets a condition: any fresh login satisfies the requirement. The message
    /// and unknown fields do not count.
    pub fn is_empty(&self) -> bool {
        self.required_scopes.is_empty() && !self.names_session()
    }

    /// Whether the user must authenticate again. `false` if the only condition is consent to
    /// scopes. `true` if there is no condition: the requirement is then a fresh login.
    pub fn requires_session(&self) -> bool {
        self.names_session() || self.required_scopes.is_empty()
    }

    fn names_session(&self) -> bool {
        let [sessions @ .., _] = self.lists();
        let names_values = sessions.iter().any(|values| !values.is_empty());
        names_values || self.session_required_mfa || self.prompt.is_some()
    }

    /// The fields that are lists: identities, policies, domains, scopes. It names every field, so
    /// that a new one does not compile until it is handled here.
    pub(super) fn lists(&self) -> [&Vec<String>; 4] {
        let Self {
            session_message: _,
            session_required_identities: identities,
            session_required_policies: policies,
            session_required_single_domain: domains,
            session_required_mfa: _,
            required_scopes: scopes,
            prompt: _,
            extra: _,
        } = self;
        [identities, policies, domains, scopes]
    }

    fn lists_mut(&mut self) -> [&mut Vec<String>; 4] {
        [
            &mut self.session_required_identities,
            &mut self.session_required_policies,
            &mut self.session_required_single_domain,
            &mut self.required_scopes,
        ]
    }

    /// The query parameters for Globus Auth's `/v2/oauth2/authorize`, unencoded, spelled as in the
    /// Python SDK (`True` included).
    ///
    /// Lists are joined with commas. Their entries are trimmed, and blank entries are dropped.
    /// Empty and false fields are left out, because Globus Auth rejects them. `required_scopes` are
    /// left out too: they belong in `scope`.
    ///
    /// ```
    /// use globus_gare::gare::AuthorizationParameters;
    ///
    /// let params = AuthorizationParameters::default()
    ///     .with_session_required_single_domain(["uchicago.edu", " anl.gov", ""])
    ///     .with_required_scopes(["openid"]);
    /// assert_eq!(params.to_query(), [("session_required_single_domain", "uchicago.edu,anl.gov".to_owned())]);
    /// ```
    pub fn to_query(&self) -> Vec<(&'static str, String)> {
        let [identities, policies, domains, _] = self.lists();
        let mfa = self.session_required_mfa.then(|| "True".to_owned());
        let message = self.session_message.clone();
        let prompt = self.prompt.as_deref().unwrap_or_default().trim();
        [
            ("session_required_identities", joined(identities)),
            ("session_required_single_domain", joined(domains)),
            ("session_required_policies", joined(policies)),
            ("session_required_mfa", mfa.unwrap_or_default()),
            ("session_message", message.unwrap_or_default()),
            ("prompt", prompt.to_owned()),
        ]
        .into_iter()
        .filter(|(_, value)| !value.trim().is_empty())
        .collect()
    }

    /// Fills the fields that are empty here from `inner`, a document nested in this one. Unknown
    /// fields are not copied: `extra` already has the nested document.
    pub(super) fn fill_from(&mut self, inner: Self) {
        if self.required_scopes.is_empty() && !inner.required_scopes.is_empty() {
            // Scopes that could be read replace those that could not.
            self.extra.remove(REQUIRED_SCOPES);
        }
        for (outer, inner) in self.lists_mut().into_iter().zip(inner.lists()) {
            if outer.is_empty() {
                outer.clone_from(inner);
            }
        }
        self.session_required_mfa |= inner.session_required_mfa;
        self.session_message = self.session_message.take().or(inner.session_message);
        self.prompt = self.prompt.take().or(inner.prompt);
    }

    /// A key that is equal for two requirements with the same conditions. Order and repetition in
    /// lists and the message make no difference. Unknown fields do, because they may be conditions.
    pub(super) fn requirement_key(&self) -> String {
        let lists = self.lists().map(BTreeSet::from_iter);
        let asked = (lists, self.session_required_mfa, &self.prompt, &self.extra);
        // Strings and JSON text always serialize. A shared fallback key would lose a requirement.
        serde_json::to_string(&asked).unwrap_or_else(|_| format!("{self:?}"))
    }
}

fn joined(items: &[String]) -> String {
    // An entry with commas becomes several entries when it is joined, and none of them may be
    // blank.
    let items = items.iter().flat_map(|item| item.split(',')).map(str::trim);
    let items: Vec<&str> = items.filter(|item| !item.is_empty()).collect();
    items.join(",")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[checks::test]
    fn every_field_is_named_read_and_written() {
        let text = concat!(
            r#"{"session_message":"m","session_required_identities":["i"],"session_required_policies":["p"],"#,
            r#""session_required_single_domain":["d"],"session_required_mfa":true,"required_scopes":["s"],"prompt":"login"}"#
        );
        let params: AuthorizationParameters = serde_json::from_str(text).unwrap();
        assert!(params.extra.is_empty());
        assert_eq!(serde_json::to_string(&params).unwrap(), text);
        let written: std::collections::BTreeMap<String, serde_json::Value> =
            serde_json::from_str(text).unwrap();
        let names: Vec<_> = FIELDS.split(' ').collect();
        assert_eq!(written.len(), names.len());
        assert!(names.iter().all(|name| written.contains_key(*name)));
    }
}
