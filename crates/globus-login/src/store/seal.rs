//! Encryption of stored logins, cookies and states.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::record::OtherFormat;
use super::{Login, StoreError, UserKey, Version};

/// Encrypts the logins of a store, and the cookies of a web service.
///
/// The cipher is AES-256-GCM (NIST SP 800-38D) with a random nonce for each text. A sealed text is
/// bound to its place: it cannot be opened for another user or another version.
///
/// # Keys
///
/// The first key seals. All keys open. To change the key: add the new key behind the old one on all
/// machines, then put it first on all machines. Remove the old key when all logins were written
/// again. With random nonces, one key can seal 2³² texts.
///
/// ```
/// use globus_login::Sealer;
///
/// // From the deployment's secrets: the id of a key, and 32 bytes in Base64
/// // (`openssl rand -base64 32`).
/// let sealer: Sealer = "2026-11:q8cXjWmFf0yTGl6wqC8r1m5m0l2bqJ0aTzKsq2p2Y3s=".parse()?;
/// # Ok::<(), globus_login::SealError>(())
/// ```
#[derive(Clone)]
pub struct Sealer {
    keys: Arc<[(String, RandomizedNonceKey)]>,
}

/// An error from making a [`Sealer`] or opening a text. It shows neither keys nor texts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The keys are not `ID:BASE64[,ID:BASE64...]`, with 32 bytes each, and ids of letters, digits,
    /// `-` and `_`.
    #[error(
        "the keys are not ID:BASE64[,ID:BASE64...] with 32 bytes each, and a different id for each"
    )]
    Keys,
    /// The text was sealed with a key that this sealer does not have.
    #[error("the text is sealed with the key {0:?}, which this program does not have")]
    UnknownKey(String),
    /// The text was changed after it was sealed, or was sealed for another place.
    #[error("the text was changed, or moved to another place, after it was sealed")]
    Forged,
}

impl Sealer {
    /// Makes a sealer with a random key, for a program that keeps nothing after it ends.
    pub fn random() -> Self {
        let mut key = Zeroizing::new([0; 32]);
        // This cannot fail: AWS-LC aborts the program if it has no random numbers.
        let _ = aws_lc_rs::rand::fill(&mut *key);
        Self {
            keys: key_of("random", &*key).into_iter().collect(),
        }
    }

    /// Seals a login for a user and version, for a store of your own.
    ///
    /// # Errors
    ///
    /// If the login cannot be serialized.
    pub fn seal_login(
        &self,
        user: &UserKey,
        version: &Version,
        login: &Login,
    ) -> Result<String, StoreError> {
        let text = serde_json::to_vec(login).map(Zeroizing::new);
        let text =
            text.map_err(|error| StoreError::damaged("the login cannot be serialized", error));
        Ok(self.seal(&place(user, version), &text?))
    }

    /// Opens a login that was sealed for this user and version.
    ///
    /// # Errors
    ///
    /// If this sealer does not have the key, or the text was changed or moved. The error
    /// [is damaged](StoreError::is_damaged).
    pub fn open_login(
        &self,
        user: &UserKey,
        version: &Version,
        sealed: &str,
    ) -> Result<Login, StoreError> {
        let cannot = "a login cannot be opened: check the keys, or force a login to set it aside";
        let text = self.open(&place(user, version), sealed);
        let text = text.map_err(|error| StoreError::damaged(cannot, error))?;
        serde_json::from_slice(&text).map_err(|_| StoreError::damaged(cannot, OtherFormat))
    }

    /// Seals a text for a place.
    pub(crate) fn seal(&self, place: &[&str], text: &[u8]) -> String {
        let mut sealed = text.to_vec();
        let (id, key) = &self.keys[0];
        let nonce = key
            .seal_in_place_append_tag(aad(place), &mut sealed)
            .expect("a text of less than 64 GiB");
        let mut bytes = nonce.as_ref().to_vec();
        bytes.append(&mut sealed);
        format!("{id}.{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Opens a text that was sealed for this place.
    pub(crate) fn open(
        &self,
        place: &[&str],
        sealed: &str,
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (id, text) = sealed.split_once('.').ok_or(SealError::Forged)?;
        let key = self.keys.iter().find(|(known, _)| known == id);
        let (_, key) = key.ok_or_else(|| SealError::UnknownKey(id.chars().take(64).collect()))?;
        let bytes = URL_SAFE_NO_PAD.decode(text);
        let mut bytes = Zeroizing::new(bytes.map_err(|_| SealError::Forged)?);
        let (nonce, text) = bytes
            .split_at_mut_checked(NONCE_LEN)
            .ok_or(SealError::Forged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Forged)?;
        let text = key.open_in_place(nonce, aad(place), text);
        let text = text.map_err(|_| SealError::Forged)?;
        Ok(Zeroizing::new(text.to_vec()))
    }
}

/// The place that a sealed login is bound to.
fn place<'a>(user: &'a UserKey, version: &'a Version) -> [&'a str; 5] {
    let version = version.as_str();
    [
        "login",
        user.environment(),
        user.client(),
        user.user(),
        version,
    ]
}

#[cfg(feature = "web")]
impl Sealer {
    /// Whether a text was sealed with the first key.
    pub(crate) fn is_by_the_first_key(&self, sealed: &str) -> bool {
        sealed
            .split_once('.')
            .is_some_and(|(id, _)| id == self.keys[0].0)
    }
}

/// The words of a place, each after its length, so that no two places have the same bytes.
fn aad(place: &[&str]) -> Aad<Vec<u8>> {
    let mut bytes = Vec::new();
    for word in place {
        bytes.extend((word.len() as u64).to_be_bytes());
        bytes.extend(word.as_bytes());
    }
    Aad::from(bytes)
}

fn key_of(id: &str, key: &[u8]) -> Option<(String, RandomizedNonceKey)> {
    let is_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_sound = !id.is_empty() && id.len() <= 64 && id.bytes().all(is_id);
    let key = RandomizedNonceKey::new(&AES_256_GCM, key).ok()?;
    is_sound.then(|| (id.to_owned(), key))
}

impl FromStr for Sealer {
    type Err = SealError;

    /// Parses `ID:BASE64[,ID:BASE64...]`. The first key seals; all keys open.
    fn from_str(text: &str) -> Result<Self, SealError> {
        let keys = text.split(',').map(|key| {
            let (id, key) = key.trim().split_once(':').ok_or(SealError::Keys)?;
            let key = STANDARD.decode(key).map_err(|_| SealError::Keys)?;
            key_of(id, &Zeroizing::new(key)).ok_or(SealError::Keys)
        });
        let keys: Arc<[_]> = keys.collect::<Result<_, _>>()?;
        let is_twice = |(at, (id, _)): (usize, &(String, _))| {
            keys.iter().skip(at + 1).any(|(other, _)| other == id)
        };
        if keys.iter().enumerate().any(is_twice) {
            return Err(SealError::Keys);
        }
        Ok(Self { keys })
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = self.keys.iter().map(|(id, _)| id);
        f.debug_list().entries(ids).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OLD: &str = "old:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const NEW: &str = "new:HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn sealer(keys: &str) -> Sealer {
        keys.parse().expect("keys")
    }

    #[checks::test]
    fn sealed_text_opens_only_in_its_own_place() {
        let sealer = sealer(OLD);
        let sealed = sealer.seal(&["a", "bc"], b"secret");
        let opened = sealer.open(&["a", "bc"], &sealed);
        assert_eq!(opened.expect("it opens").as_slice(), b"secret");
        for place in [&["a", "b"][..], &["ab", "c"], &["a", "bc", ""], &[]] {
            let opened = sealer.open(place, &sealed);
            assert_eq!(opened, Err(SealError::Forged), "{place:?}");
        }
        assert_ne!(sealed, sealer.seal(&["a", "bc"], b"secret"), "its nonce");
        assert!(!sealed.contains("secret"));
    }

    #[checks::test]
    fn older_keys_open_and_the_first_seals() {
        let sealed = sealer(OLD).seal(&[], b"secret");
        let both = sealer(&format!("{NEW}, {OLD}"));
        assert!(both.open(&[], &sealed).is_ok());
        let sealed = both.seal(&[], b"secret");
        assert!(sealer(NEW).open(&[], &sealed).is_ok());
        let unknown = SealError::UnknownKey("new".to_owned());
        assert_eq!(sealer(OLD).open(&[], &sealed), Err(unknown));
    }

    #[checks::test]
    fn malformed_keys_are_rejected() {
        let short = "old:AAECAw==";
        let twice = format!("{OLD},{OLD}");
        for keys in ["", "old", ":AA==", "a b:AA==", "old:?", short, &twice] {
            let refused = keys.parse::<Sealer>().map(drop);
            assert_eq!(refused, Err(SealError::Keys), "{keys:?}");
        }
        assert_eq!(format!("{:?}", sealer(OLD)), r#"["old"]"#);
    }

    proptest! {
        #[checks::test]
        fn changed_text_never_opens(text in any::<Vec<u8>>(), at in any::<prop::sample::Index>(), to in any::<u8>()) {
            let sealer = sealer(OLD);
            let mut sealed = sealer.seal(&["place"], &text).into_bytes();
            let at = at.index(sealed.len());
            prop_assume!(sealed[at] != to && to.is_ascii());
            sealed[at] = to;
            let sealed = String::from_utf8(sealed).expect("ASCII");
            // Base64's last character may have unused bits: they must be zero.
            prop_assert!(sealer.open(&["place"], &sealed).is_err());
        }

        #[checks::test]
        fn opening_any_text_does_not_panic(sealed in ".{0,200}") {
            let _ = sealer(OLD).open(&["place"], &sealed);
        }
    }
}
