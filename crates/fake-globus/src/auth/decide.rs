//! The end of a login: a code, or an error.

use std::sync::Arc;
use std::time::Duration;

use url::Url;
use uuid::Uuid;

use crate::identity::{Identity, User};
use crate::person::Person;
use crate::secret;
use crate::session::{Authentication, Session};
use crate::state::{Code, Grant};
use crate::world::World;

use super::authorize::LoginRequest;

/// How long a code can be exchanged.
const CODE_LIFE: Duration = Duration::from_secs(10 * 60);

/// Answers a login for the automatic person. Returns the URL to redirect to.
pub(super) fn automatic(world: &World, request: &LoginRequest, person: &Person) -> String {
    if person.declines {
        return deny(world, request, "the user denied the request");
    }
    let Some(identity) = pick(&world.state().users, request, person) else {
        return deny(
            world,
            request,
            "no identity of the user satisfies the requirement",
        );
    };
    match approve(world, request, identity, person.has_mfa) {
        Ok(location) => location,
        Err(problem) => deny(world, request, &problem),
    }
}

fn pick(users: &[User], request: &LoginRequest, person: &Person) -> Option<Uuid> {
    let wanted = |identity: &Identity| {
        person
            .picks
            .as_ref()
            .is_none_or(|name| identity.is_named(name))
    };
    let fits = |user: &User, identity: &Identity| {
        wanted(identity) && request.requirement.permits(user, identity)
    };
    let mut people = users.iter().filter(|user| !user.is_client);
    people.find_map(|user| {
        user.identities()
            .find(|identity| fits(user, identity))
            .map(Identity::id)
    })
}

/// Logs an identity in and grants the consents. Returns the redirect URL with the code. The error
/// is a message for the person.
pub(super) fn approve(
    world: &World,
    request: &LoginRequest,
    picked: Uuid,
    mfa: bool,
) -> Result<String, String> {
    let now = world.clock.now();
    let requirement = &request.requirement;
    let mut state = world.state();
    let user = state
        .user_of_identity(picked)
        .filter(|user| !user.is_client)
        .cloned()
        .ok_or("No such identity.")?;
    let identity = user.identity(picked).ok_or("No such identity.")?;
    if !requirement.permits(&user, identity) {
        return Err(format!(
            "{} does not satisfy the requirement.",
            identity.username()
        ));
    }
    for id in requirement.identities_to_authenticate(&user, identity) {
        let earlier = state.browser.get(&id).filter(|_| !request.fresh);
        let earlier = earlier.zip(user.identity(id));
        if earlier.is_some_and(|(earlier, of)| requirement.accepts(of, *earlier, now)) {
            continue;
        }
        if requirement.needs_mfa() && !mfa {
            return Err("A second factor is required.".to_owned());
        }
        state.browser.insert(
            id,
            Authentication {
                at: now,
                mfa: requirement.needs_mfa(),
            },
        );
    }
    let own = state
        .browser
        .iter()
        .filter(|(id, _)| user.identity(**id).is_some())
        .map(|(id, a)| (*id, *a));
    let session = Arc::new(Session::new(own.collect()));
    state
        .consents
        .grant(user.id(), request.client.id, &request.scopes, now);

    let code = secret::random(30);
    let entry = Code {
        grant: Grant {
            id: Uuid::new_v4(),
            client: request.client.id,
            user: user.id(),
            session,
            scopes: request.scopes.clone(),
            offline: request.offline,
            via: None,
        },
        redirect_uri: request.redirect_uri.clone(),
        challenge: request.challenge.clone(),
        state: request.state.clone(),
        nonce: request.nonce.clone(),
        expires: now + CODE_LIFE,
        used: false,
    };
    state.codes.insert(code.clone(), entry);
    drop(state);
    world.log().counts.logins += 1;
    Ok(redirect(request, &[("code", &code)]))
}

/// The redirect URL with an error.
pub(super) fn deny(world: &World, request: &LoginRequest, why: &str) -> String {
    world.log().counts.declined += 1;
    redirect(
        request,
        &[("error", "access_denied"), ("error_description", why)],
    )
}

fn redirect(request: &LoginRequest, answer: &[(&str, &str)]) -> String {
    // A registered redirect URI need not be a URL. It is then used unchanged.
    let Ok(mut url) = Url::parse(&request.redirect_uri) else {
        return request.redirect_uri.clone();
    };
    let state = request.state.as_deref().map(|state| ("state", state));
    url.query_pairs_mut()
        .extend_pairs(answer.iter().copied().chain(state));
    url.to_string()
}
