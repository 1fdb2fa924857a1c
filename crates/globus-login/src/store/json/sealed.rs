//! Sealed logins in the file. Python cannot read them.

use serde_json::value::RawValue;

use super::super::{Login, StoreError, UserKey};
use super::Shared;
use super::document::Document;

/// A sealed login in the file.
#[cfg(feature = "seal")]
#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    /// Increased by each commit.
    number: u64,
    login: String,
}

impl Shared {
    /// The login of a user in a document.
    pub(super) fn login_in(
        &self,
        document: &Document,
        user: &UserKey,
    ) -> Result<Login, StoreError> {
        match document.sealed(&user.hashed()) {
            Some(sealed) => self.open(sealed, user),
            None => document.login(user.user()).map_err(|error| {
                let path = self.file.path().display();
                let message = format!(
                    "a login in the token file {path} cannot be understood: log out, or force a \
                     login, to set its record aside"
                );
                StoreError::damaged(message, error)
            }),
        }
    }

    /// Writes the login of a user. With a sealer, removes a login in plain text.
    pub(super) fn set_in(
        &self,
        document: &mut Document,
        user: &UserKey,
        login: &Login,
    ) -> serde_json::Result<()> {
        #[cfg(feature = "seal")]
        if let Some(sealer) = &self.sealer {
            let name = user.hashed();
            let before: Option<Sealed> = document
                .sealed(&name)
                .and_then(|raw| serde_json::from_str(raw.get()).ok());
            let number = before.map_or(1, |before| before.number.wrapping_add(1));
            let text = zeroize::Zeroizing::new(serde_json::to_vec(login)?);
            let login = sealer.seal(&place(user, &number.to_string()), &text);
            let sealed = serde_json::value::to_raw_value(&Sealed { number, login })?;
            document.set_sealed(name, sealed);
            return document.set(user.user(), &Login::default());
        }
        document.set(user.user(), login)
    }

    /// Sets a sealed login that cannot be opened, or a record that cannot be read, aside. Returns
    /// its new name.
    pub(super) fn set_login_aside(
        &self,
        user: &UserKey,
        date: &str,
    ) -> Result<Option<String>, StoreError> {
        let name = user.hashed();
        let mut aside = None;
        self.file.change(&mut |document| {
            if self.login_in(document, user).is_ok() {
                return Ok(None);
            }
            let mut next = document.clone();
            let new = document.free_name(format!("{name}.damaged-{date}"));
            match document.sealed(&name) {
                Some(sealed) => {
                    next.set_sealed(new.clone(), sealed.to_owned());
                    next.remove_sealed(&name);
                }
                // The tokens stay: a logout revokes them.
                None => next.set_record_aside(user.user(), new.clone()),
            }
            aside = Some(new);
            Ok(Some(next))
        })?;
        Ok(aside)
    }

    #[cfg(feature = "seal")]
    fn open(&self, sealed: &RawValue, user: &UserKey) -> Result<Login, StoreError> {
        use super::super::SealError;
        use super::super::record::OtherFormat;

        let path = self.file.path().display();
        let damaged = |error: Box<dyn std::error::Error + Send + Sync>| {
            let message = format!(
                "a sealed login in {path} cannot be opened: check the keys, or force a login to \
                 set it aside"
            );
            StoreError::damaged(message, error)
        };
        let Some(sealer) = &self.sealer else {
            let message = format!("a login in {path} is sealed: open it with `JsonStore::sealed`");
            return Err(StoreError::damaged(message, "this store has no key"));
        };
        let sealed: Sealed =
            serde_json::from_str(sealed.get()).map_err(|_| damaged(SealError::Forged.into()))?;
        let text = sealer.open(&place(user, &sealed.number.to_string()), &sealed.login);
        let text = text.map_err(|error| damaged(error.into()))?;
        serde_json::from_slice(&text).map_err(|_| damaged(OtherFormat.into()))
    }

    #[cfg(not(feature = "seal"))]
    fn open(&self, _: &RawValue, _: &UserKey) -> Result<Login, StoreError> {
        let path = self.file.path().display();
        let message = format!("a login in {path} is sealed: opening it needs the feature `seal`");
        Err(StoreError::damaged(message, "this store has no key"))
    }
}

/// The place that a sealed login is bound to.
#[cfg(feature = "seal")]
fn place<'a>(user: &'a UserKey, number: &'a str) -> [&'a str; 5] {
    [
        "file",
        user.environment(),
        user.client(),
        user.user(),
        number,
    ]
}
