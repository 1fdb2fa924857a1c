//! Tests for each client that follows redirects.

/// Tests over `send`, which sends a request to a URL through the layer of a session.
macro_rules! cases {
    ($send:ident) => {
        #[checks::test]
        async fn untrusted_redirect_target_gets_no_login_and_no_secret() {
            let stranger = Server::demanding().await;
            let trusted = Server::redirecting(&stranger.url).await;
            let (session, logins) = session(&[&trusted]);
            let response = $send(&session, &trusted.url).await;
            assert_eq!(result(&response, &logins), (403, Some("untrusted"), 0));
            assert_eq!(
                trusted.received(),
                (1, true),
                "the session's own credential"
            );
            assert_eq!(stranger.received(), (1, false));
            assert_eq!(session.stats().gave_up["untrusted"], 1);
        }

        #[checks::test]
        async fn plain_401_of_an_untrusted_origin_causes_no_refresh() {
            let stranger = Server::answering(|_| answer("401 Unauthorized", "", "")).await;
            let trusted = Server::redirecting(&stranger.url).await;
            let (session, logins) = session(&[&trusted]);
            let response = $send(&session, &trusted.url).await;
            // The response has no GARE.
            assert_eq!(result(&response, &logins), (401, None, 0));
            assert_eq!(
                session.stats().look_ups,
                1,
                "the first one, to be sent at all"
            );
            assert_eq!(stranger.received(), (1, false));
        }

        #[checks::test]
        async fn redirect_from_an_untrusted_origin_gets_no_login() {
            let trusted = Server::demanding().await;
            let stranger = Server::redirecting(&trusted.url).await;
            let (session, logins) = session(&[&trusted]);
            let response = $send(&session, &stranger.url).await;
            assert_eq!(result(&response, &logins), (403, Some("untrusted"), 0));
            assert_eq!(
                (stranger.received(), trusted.received()),
                ((1, false), (1, false))
            );
        }

        #[checks::test]
        async fn redirect_within_an_origin_logs_in_and_is_replayed() {
            let trusted = Server::answering(|head| match head {
                _ if head.starts_with("GET /moved") && head.contains("AgFresh") => {
                    answer("200 OK", "", "fresh")
                }
                _ if head.starts_with("GET /moved") => answer("403 Forbidden", "", MFA),
                _ => answer("307 Temporary Redirect", "location: /moved\r\n", ""),
            })
            .await;
            let (session, logins) = session(&[&trusted]);
            let response = $send(&session, &trusted.url).await;
            assert_eq!(result(&response, &logins), (200, None, 1));
            assert_eq!(trusted.received(), (4, true));
        }

        #[checks::test]
        async fn credential_of_one_trusted_origin_never_reaches_another() {
            let other = Server::demanding().await;
            let trusted = Server::redirecting(&other.url).await;
            let (session, logins) = session(&[&trusted, &other]);
            let response = $send(&session, &trusted.url).await;
            // The challenge starts a login. The client does not send the credential to the other
            // origin.
            assert_eq!(result(&response, &logins), (403, Some("no_progress"), 1));
            assert_eq!(other.received(), (2, false), "{SECRET} is not for it");
        }
    };
}

pub(crate) use cases;
