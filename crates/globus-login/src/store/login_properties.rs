//! Property test: the record of a login follows its tokens, in any order of events.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::prelude::*;

use super::{Given, Holder, Login, StoredToken};

const SERVERS: [&str; 3] = ["auth", "transfer", "groups"];

/// A change to a login by some program.
#[derive(Clone, Copy, Debug)]
enum Event {
    Login {
        person: u8,
        servers: u8,
    },
    /// A login by a program without records.
    ForeignLogin {
        person: u8,
        servers: u8,
    },
    Refresh {
        server: u8,
    },
    /// The answer of a refresh that began before everything else.
    LateRefresh {
        server: u8,
    },
    ForeignRefresh {
        server: u8,
        rotates: bool,
    },
    Refused {
        server: u8,
    },
    Logout,
    ForeignLogout,
}

fn event() -> impl Strategy<Value = Event> {
    let (person, servers, server) = (0..2_u8, 1..8_u8, 0..3_u8);
    prop_oneof![
        (person.clone(), servers.clone())
            .prop_map(|(person, servers)| Event::Login { person, servers }),
        (person, servers).prop_map(|(person, servers)| Event::ForeignLogin { person, servers }),
        server.clone().prop_map(|server| Event::Refresh { server }),
        server
            .clone()
            .prop_map(|server| Event::LateRefresh { server }),
        (server.clone(), any::<bool>())
            .prop_map(|(server, rotates)| Event::ForeignRefresh { server, rotates }),
        server.prop_map(|server| Event::Refused { server }),
        Just(Event::Logout),
        Just(Event::ForeignLogout),
    ]
}

fn token(server: &str, person: &str, number: usize, refresh: usize) -> StoredToken {
    let token = serde_json::json!({
        "resource_server": server, "identity_id": person, "scope": format!("{server}:all"),
        "access_token": format!("access-{server}-{number}"),
        "refresh_token": format!("refresh-{server}-{refresh}"), "expires_at_seconds": 1,
    });
    serde_json::from_value(token).expect("a token")
}

fn name(person: u8) -> &'static str {
    ["ada", "bob"][usize::from(person)]
}

fn chosen(servers: u8) -> impl Iterator<Item = &'static str> {
    let is_chosen = move |(bit, _): &(usize, &&str)| servers >> bit & 1 == 1;
    SERVERS
        .iter()
        .enumerate()
        .filter(is_chosen)
        .map(|(_, it)| *it)
}

fn given(person: u8, servers: u8, number: usize, now: SystemTime) -> Given {
    let tokens = chosen(servers).map(|it| (it.to_owned(), token(it, name(person), number, number)));
    Given {
        tokens: tokens.collect(),
        sub: Some(name(person).to_owned()),
        at: now,
        by: Holder::new("test", now),
        satisfied: None,
        scopes: "openid".parse().expect("scopes"),
    }
}

fn sub(login: &Login) -> Option<&str> {
    login.record.as_ref().and_then(|record| record.sub())
}

/// The person to whom the tokens were issued.
fn owner(login: &Login) -> Option<&str> {
    login.tokens.values().find_map(StoredToken::identity_id)
}

/// Applies an event to the login, and checks its effect.
fn apply(login: &mut Login, event: Event, number: usize, old: &StoredToken) {
    let now = UNIX_EPOCH + Duration::from_secs(number as u64);
    let before = login.clone();
    let server_of = |server: u8| SERVERS[usize::from(server)];
    match event {
        Event::Login { person, servers } => {
            let done = login.logged_in(given(person, servers, number, now));
            let is_another = sub(&before).is_some_and(|kept| kept != name(person));
            assert_eq!(done.is_err(), is_another);
            if is_another {
                assert_eq!(*login, before, "a refused login changes nothing");
            } else {
                assert_eq!(login.epoch(), before.epoch() + 1);
                assert_eq!(login.revision(), before.revision());
                assert!(!login.is_unverified());
            }
        }
        Event::ForeignLogin { person, servers } => {
            for server in chosen(servers) {
                let new = token(server, name(person), number, number);
                login.tokens.insert(server.to_owned(), new);
            }
            login.recognize(now);
            let is_all = before
                .tokens
                .keys()
                .all(|it| chosen(servers).any(|new| new == it));
            let is_another = sub(&before).is_some_and(|kept| kept != name(person));
            if is_all || is_another {
                assert_eq!(login.epoch(), before.epoch() + 1, "a new login");
                assert!(login.is_unverified());
            }
            assert_eq!(login.revision() > before.revision(), is_another);
        }
        Event::Refresh { server } => {
            let server = server_of(server);
            let Some(kept) = before.tokens.get(server) else {
                return;
            };
            let new = token(server, "", number, number).refreshing(kept);
            assert!(login.refreshed(server, kept, new).is_none());
            assert_eq!(login.epoch(), before.epoch(), "a refresh is no login");
            assert!(login.can_refresh(server));
        }
        Event::LateRefresh { server } => {
            let new = token(server_of(server), "", number, number);
            let back = login.refreshed(server_of(server), old, new.clone());
            assert!(back.is_some_and(|back| back == new), "handed back");
            assert_eq!(*login, before, "the stored token is newer");
        }
        Event::ForeignRefresh { server, rotates } => {
            let server = server_of(server);
            let Some(kept) = before.tokens.get(server) else {
                return;
            };
            let mut new = token(server, "", number, number).refreshing(kept);
            if !rotates {
                let mut text = serde_json::to_value(&new).expect("JSON");
                let old = serde_json::to_value(kept).expect("JSON");
                text["refresh_token"] = old["refresh_token"].clone();
                new = serde_json::from_value(text).expect("a token");
            }
            login.tokens.insert(server.to_owned(), new);
            login.recognize(now);
            if !rotates || before.tokens.len() > 1 {
                assert_eq!(login.epoch(), before.epoch(), "a refresh is no login");
            }
            assert_eq!(login.revision(), before.revision());
        }
        Event::Refused { server } => {
            let server = server_of(server);
            let Some(kept) = before.tokens.get(server) else {
                return;
            };
            login.refused(server, kept);
            assert!(!login.can_refresh(server));
            assert_eq!(login.tokens, before.tokens, "only a mark");
            // A program that redeemed the token just before can still store the new one.
            let mut late = login.clone();
            let new = token(server, "", number, number).refreshing(kept);
            assert!(late.refreshed(server, kept, new).is_none() && late.can_refresh(server));
        }
        Event::Logout => {
            let were_some = login.logged_out();
            assert_eq!(were_some, !before.tokens.is_empty());
            let secrets = before.tokens.values().flat_map(StoredToken::secrets);
            let unrevoked = login.unrevoked();
            assert!(secrets.into_iter().all(|it| unrevoked.contains(&it)));
            assert!(login.tokens.is_empty() && (!were_some || sub(login).is_none()));
            assert_eq!(login.revision() > before.revision(), were_some);
            login.revoked(&unrevoked);
            assert!(login.unrevoked().is_empty());
        }
        Event::ForeignLogout => {
            login.tokens.clear();
            login.recognize(now);
            let were_some = !before.tokens.is_empty();
            assert_eq!(login.revision() > before.revision(), were_some);
        }
    }
}

proptest! {
    #[checks::test]
    fn record_follows_the_tokens(events in prop::collection::vec(event(), 1..30)) {
        let mut login = Login::default();
        let old = token("auth", "ada", 1_000_000, 1_000_000);
        for (number, event) in events.into_iter().enumerate() {
            let before = login.clone();
            apply(&mut login, event, number, &old);
            prop_assert!(login.epoch() >= before.epoch(), "the epoch falls");
            prop_assert!(login.revision() >= before.revision(), "the revision falls");
            // A second `recognize` changes nothing, and serialization keeps everything.
            let mut again = login.clone();
            again.recognize(UNIX_EPOCH);
            prop_assert_eq!(&again, &login);
            let text = serde_json::to_string(&login).expect("JSON");
            let read: Login = serde_json::from_str(&text).expect("a login");
            prop_assert_eq!(&read, &login);
            prop_assert!(sub(&login).is_none() || sub(&login) == owner(&login));
            let shown = format!("{login:?}");
            prop_assert!(!shown.contains("access-"), "a secret");
        }
    }
}
