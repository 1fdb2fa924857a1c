//! What a requirement asks for.

use super::Extra;

/// What a requirement asks for: the `authorization_parameters` of a GARE.
///
/// Fields mean what the [GARE format] says they mean; an empty list, `false` and `None` all mean that nothing of the
/// kind is asked. When nothing at all is asked, the requirement is any fresh authentication.
///
/// Serialization leaves out what is empty. Deserialization takes lists as JSON lists or as comma-separated strings, and
/// fails where a field is of another type.
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
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct AuthorizationParameters {
    /// What to tell the user. It asks for nothing by itself, and comes from a stranger.
    pub session_message: Option<String>,
    /// Identities that must be in the session: IDs, URNs or usernames.
    pub session_required_identities: Vec<String>,
    /// Authentication policies that the session must satisfy, all of them.
    pub session_required_policies: Vec<String>,
    /// Domains of which the session must have an identity; any one of them will do.
    pub session_required_single_domain: Vec<String>,
    /// Whether the session must have seen multi-factor authentication.
    pub session_required_mfa: bool,
    /// Scopes that the user must have consented to, all of them.
    pub required_scopes: Vec<String>,
    /// The OIDC `prompt`; Globus Auth knows `login` and `none`.
    pub prompt: Option<String>,
    /// Fields that this crate does not know, and a `required_scopes` that is no list where the document is a legacy
    /// one: the Python SDK puts up with that.
    pub extra: Extra,
}

/// Whether `name` is a field of [`AuthorizationParameters`] itself.
pub(super) fn is_param(name: &str) -> bool {
    name == "required_scopes" || is_param_save_scopes(name)
}

/// [`is_param`], without the one field that may be unreadable and yet be kept.
pub(super) fn is_param_save_scopes(name: &str) -> bool {
    matches!(
        name,
        "session_message"
            | "session_required_identities"
            | "session_required_policies"
            | "session_required_single_domain"
            | "session_required_mfa"
            | "prompt"
    )
}

impl AuthorizationParameters {
    /// Sets the message to show to the user.
    #[must_use]
    pub fn with_session_message(mut self, message: impl Into<String>) -> Self {
        self.session_message = Some(message.into());
        self
    }

    /// Sets the identities that must be in the session.
    #[must_use]
    pub fn with_session_required_identities<I: IntoIterator<Item: Into<String>>>(
        mut self,
        identities: I,
    ) -> Self {
        self.session_required_identities = owned(identities);
        self
    }

    /// Sets the policies that the session must satisfy.
    #[must_use]
    pub fn with_session_required_policies<I: IntoIterator<Item: Into<String>>>(
        mut self,
        policies: I,
    ) -> Self {
        self.session_required_policies = owned(policies);
        self
    }

    /// Sets the domains of which the session must have an identity.
    #[must_use]
    pub fn with_session_required_single_domain<I: IntoIterator<Item: Into<String>>>(
        mut self,
        domains: I,
    ) -> Self {
        self.session_required_single_domain = owned(domains);
        self
    }

    /// Sets whether the session must have seen multi-factor authentication.
    #[must_use]
    pub fn with_session_required_mfa(mut self, required: bool) -> Self {
        self.session_required_mfa = required;
        self
    }

    /// Sets the scopes that the user must have consented to.
    #[must_use]
    pub fn with_required_scopes<I: IntoIterator<Item: Into<String>>>(mut self, scopes: I) -> Self {
        self.required_scopes = owned(scopes);
        self
    }

    /// Sets the OIDC `prompt`.
    #[must_use]
    pub fn with_prompt(mut self, prompt: impl Into<String>) -> Self {
        self.prompt = Some(prompt.into());
        self
    }

    /// Whether this names nothing that a login must bring: any fresh authentication will do. A message and unknown
    /// fields do not count.
    pub fn is_empty(&self) -> bool {
        self.required_scopes.is_empty() && !self.names_session()
    }

    /// Whether this asks for something of the session, so that the user must authenticate again; `false` when consent
    /// to scopes is all that is asked. A requirement that names nothing asks for a fresh session.
    pub fn requires_session(&self) -> bool {
        self.names_session() || self.required_scopes.is_empty()
    }

    fn names_session(&self) -> bool {
        self.session_required_mfa
            || self.prompt.is_some()
            || !self.session_required_identities.is_empty()
            || !self.session_required_policies.is_empty()
            || !self.session_required_single_domain.is_empty()
    }

    /// The query parameters for Globus Auth's `/v2/oauth2/authorize`, unencoded, in the spelling of the Python SDK (`True`
    /// included), which gives them in no fixed order.
    ///
    /// Lists are joined with commas. Nothing that is empty or false is there, since Globus Auth refuses it; blank
    /// entries of lists are dropped and the others trimmed. `required_scopes` are not there: they belong in `scope`.
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
        let mfa = if self.session_required_mfa {
            "True"
        } else {
            ""
        };
        let prompt = self.prompt.as_deref().unwrap_or_default().trim();
        let message = self
            .session_message
            .as_deref()
            .filter(|message| !message.trim().is_empty());
        [
            (
                "session_required_identities",
                joined(&self.session_required_identities),
            ),
            (
                "session_required_single_domain",
                joined(&self.session_required_single_domain),
            ),
            (
                "session_required_policies",
                joined(&self.session_required_policies),
            ),
            ("session_required_mfa", mfa.to_owned()),
            ("session_message", message.unwrap_or_default().to_owned()),
            ("prompt", prompt.to_owned()),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
    }

    /// Takes from `inner` what is empty here. Unknown fields stay behind: a document holds what is nested in it, so its
    /// `extra` has them already.
    pub(super) fn fill_from(&mut self, inner: Self) {
        fill(
            &mut self.session_required_identities,
            inner.session_required_identities,
        );
        fill(
            &mut self.session_required_policies,
            inner.session_required_policies,
        );
        fill(
            &mut self.session_required_single_domain,
            inner.session_required_single_domain,
        );
        if self.required_scopes.is_empty() && !inner.required_scopes.is_empty() {
            // Scopes that could be read take the place of those that could not.
            self.extra.leave_out("required_scopes", is_param);
        }
        fill(&mut self.required_scopes, inner.required_scopes);
        self.session_required_mfa |= inner.session_required_mfa;
        self.session_message = self.session_message.take().or(inner.session_message);
        self.prompt = self.prompt.take().or(inner.prompt);
    }

    /// A text that two parameters share exactly when they ask for the same: order and repetition in lists and the
    /// message make no difference, unknown fields do, for they may ask for something.
    pub(super) fn requirement_key(&self) -> String {
        let asked = (
            sorted(&self.session_required_identities),
            sorted(&self.session_required_policies),
            sorted(&self.session_required_single_domain),
            self.session_required_mfa,
            sorted(&self.required_scopes),
            &self.prompt,
            &self.extra,
        );
        // Strings and JSON text always serialize; were it ever otherwise, sharing a key would lose a requirement.
        serde_json::to_string(&asked).unwrap_or_else(|_| format!("{self:?}"))
    }
}

fn owned<I: IntoIterator<Item: Into<String>>>(items: I) -> Vec<String> {
    items.into_iter().map(Into::into).collect()
}

fn joined(items: &[String]) -> String {
    // An entry that holds commas is several once it is joined, so these must not be blank either.
    let items = items.iter().flat_map(|item| item.split(',')).map(str::trim);
    let items: Vec<&str> = items.filter(|item| !item.is_empty()).collect();
    items.join(",")
}

fn fill(outer: &mut Vec<String>, inner: Vec<String>) {
    if outer.is_empty() {
        *outer = inner;
    }
}

fn sorted(items: &[String]) -> Vec<&str> {
    let mut items: Vec<&str> = items.iter().map(String::as_str).collect();
    items.sort_unstable();
    items.dedup();
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn what_asks_for_a_session() {
        let none = AuthorizationParameters::default();
        assert!(none.is_empty() && none.requires_session());
        let message = none.clone().with_session_message("hello");
        assert!(message.is_empty() && message.requires_session());
        let scopes = none.clone().with_required_scopes(["s"]);
        assert!(!scopes.is_empty() && !scopes.requires_session());
        for session in [
            none.clone().with_session_required_identities(["a"]),
            none.clone().with_session_required_policies(["a"]),
            none.clone().with_session_required_single_domain(["a"]),
            none.clone().with_session_required_mfa(true),
            none.clone().with_prompt("login"),
            scopes.with_prompt("login"),
        ] {
            assert!(
                !session.is_empty() && session.requires_session(),
                "{session:?}"
            );
        }
    }

    #[checks::test]
    fn the_query_has_nothing_empty() {
        let all = AuthorizationParameters::default()
            .with_session_message(" hi & bye ")
            .with_session_required_identities([" a", "", "b "])
            .with_session_required_policies(["p"])
            .with_session_required_single_domain(["d", "e"])
            .with_session_required_mfa(true)
            .with_required_scopes(["s"])
            .with_prompt(" login ");
        let query: Vec<_> = all.to_query();
        let query: Vec<_> = query
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        assert_eq!(
            query,
            [
                ("session_required_identities", "a,b"),
                ("session_required_single_domain", "d,e"),
                ("session_required_policies", "p"),
                ("session_required_mfa", "True"),
                ("session_message", " hi & bye "),
                ("prompt", "login"),
            ]
        );
        let blank = AuthorizationParameters::default()
            .with_session_message(" ")
            .with_session_required_policies(["", " ", ",", " , "])
            .with_prompt("");
        assert_eq!(blank.to_query(), []);
    }

    #[checks::test]
    fn outer_values_win() {
        let mut outer =
            AuthorizationParameters::default().with_session_required_policies(["outer"]);
        outer.fill_from(
            AuthorizationParameters::default()
                .with_session_required_policies(["inner"])
                .with_session_required_mfa(true)
                .with_session_message("inner"),
        );
        let expected = AuthorizationParameters::default()
            .with_session_required_policies(["outer"])
            .with_session_required_mfa(true)
            .with_session_message("inner");
        assert_eq!(outer, expected);
    }
}
