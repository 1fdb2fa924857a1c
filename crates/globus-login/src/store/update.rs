use std::time::SystemTime;

use super::{Login, LoginStore, StoreError, UserKey, Versioned};

/// How often a change is made anew because somebody else was faster. Each time somebody else has
/// succeeded: that many are a loop, not bad luck.
const MAX_TRIES: usize = 1000;

/// Loads what is kept of a user, with what other programs did to it.
pub(crate) async fn load(
    store: &dyn LoginStore,
    user: &UserKey,
    now: SystemTime,
) -> Result<Versioned, StoreError> {
    let mut loaded = store.load(user).await?;
    loaded.login.recognize(now);
    Ok(loaded)
}

/// Loads, changes and commits; and does so again where somebody else was faster. Gives what the
/// last `change` gave, and what is kept now. A change that changes nothing is not written.
pub(crate) async fn update<T>(
    store: &dyn LoginStore,
    user: &UserKey,
    now: SystemTime,
    mut change: impl FnMut(&mut Login) -> T + Send,
) -> Result<(T, Login), StoreError> {
    for _ in 0..MAX_TRIES {
        let Versioned { version, login } = store.load(user).await?;
        let mut next = login.clone();
        next.recognize(now);
        let given = change(&mut next);
        if next == login || store.commit(user, &version, &next).await?.is_some() {
            return Ok((given, next));
        }
    }
    Err(StoreError::because(format!(
        "the login store refused a change {MAX_TRIES} times: other programs change it all the time"
    )))
}
