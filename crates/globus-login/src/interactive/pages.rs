//! The pages of a login that begins at a terminal.

use http::StatusCode;

use crate::Account;
use crate::page::{Page, reason};
use globus_gare::reauth::ReauthError;

impl Page {
    /// The page for the end of a login.
    pub(crate) fn ended(end: &Result<Option<Account>, ReauthError>) -> Self {
        let (mark, class, title, text) = match end {
            Ok(account) => (
                "✓",
                "done",
                "You are logged in",
                format!(
                    "{}You may close this page and go back to your program.",
                    account.as_ref().map(who).unwrap_or_default()
                ),
            ),
            Err(error) if error.is_declined() => (
                "–",
                "declined",
                "The login was declined",
                format!("{}Your program has been told.", reason(error)),
            ),
            Err(error) => (
                "!",
                "failed",
                "The login failed",
                format!("{}Your program has been told.", reason(error)),
            ),
        };
        Self::new(StatusCode::OK, (mark, class), title, text)
    }

    pub(crate) fn of_no_login() -> Self {
        Self::unknown(
            StatusCode::BAD_REQUEST,
            "This page belongs to no login",
            "Nothing happened. Go back to your program, and open the page that it names.",
        )
    }

    /// The page of a redirect, which a browser does not show.
    pub(crate) fn on_its_way() -> Self {
        Self::unknown(
            StatusCode::FOUND,
            "Log in",
            "Your browser goes on to Globus Auth.",
        )
    }

    /// The page for a browser that comes back and did not begin the login.
    pub(crate) fn of_another_browser() -> Self {
        Self::unknown(
            StatusCode::FORBIDDEN,
            "Another browser began this login",
            "Nothing happened. A login ends in the browser in which it began, which has to keep a cookie until then.",
        )
    }

    /// The page for whoever opens the address of the login after somebody else.
    pub(crate) fn opened_twice() -> Self {
        Self::unknown(
            StatusCode::GONE,
            "This login was opened in another browser",
            "Its address is for one browser. Your program has been told: log in again. If you opened it only once, \
             another user of this machine did, too.",
        )
    }

    pub(crate) fn not_found(status: StatusCode) -> Self {
        Self::unknown(
            status,
            "There is nothing here",
            "This is where a program waits for the end of a login.",
        )
    }

    fn unknown(status: StatusCode, title: &'static str, text: &str) -> Self {
        Self::new(status, ("?", "failed"), title, text)
    }
}

fn who(account: &Account) -> String {
    format!("As {}. ", account.called())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::AuthError;
    use crate::page::tests::text;

    #[checks::test]
    fn each_page_says_what_happened_and_what_to_do() {
        let denied = |code| AuthError::new(code, Some("<b>so</b>\nsorry\u{202e}")).explained("no");
        let account = r#"{"sub": "1", "preferred_username": "ada@uchicago.edu"}"#;
        let account = serde_json::from_str(account).expect("an account");
        let ends = [
            Ok(Some(account)),
            Ok(None),
            Err(ReauthError::declined()),
            Err(denied("access_denied")),
            Err(denied("invalid_grant")),
            Err(ReauthError::new("the file is full")),
        ];
        let mut pages: Vec<_> = ends.iter().map(Page::ended).collect();
        pages.push(Page::of_no_login());
        pages.push(Page::of_another_browser());
        pages.push(Page::opened_twice());
        pages.push(Page::not_found(StatusCode::NOT_FOUND));
        let shown: Vec<_> = pages.iter().map(text).collect();
        insta::assert_snapshot!(shown.join("\n\n"), @r"
        ✓
        You are logged in
        As ada@uchicago.edu. You may close this page and go back to your program.

        ✓
        You are logged in
        You may close this page and go back to your program.

        –
        The login was declined
        Your program has been told.

        –
        The login was declined
        Globus Auth says: access_denied: &lt;b&gt;so&lt;/b&gt; sorry. Your program has been told.

        !
        The login failed
        Globus Auth says: invalid_grant: &lt;b&gt;so&lt;/b&gt; sorry. Your program has been told.

        !
        The login failed
        It says: the file is full. Your program has been told.

        ?
        This page belongs to no login
        Nothing happened. Go back to your program, and open the page that it names.

        ?
        Another browser began this login
        Nothing happened. A login ends in the browser in which it began, which has to keep a cookie until then.

        ?
        This login was opened in another browser
        Its address is for one browser. Your program has been told: log in again. If you opened it only once, another user of this machine did, too.

        ?
        There is nothing here
        This is where a program waits for the end of a login.
        ");
    }
}
