//! Requests with different requirements, of one service or of several.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, ReauthError, Reauthenticator, Session, Why,
};
use http::{Request, Response};

use checks::mock::{
    Body, Login, MFA, Service, answer, authorization, behind, get, presenting, responses, settle,
    spawn,
};

/// Requires the policy that the path names, until the token has it.
fn policies_by_path(request: &Request<Body>) -> Response<Body> {
    let policy = request.uri().path().trim_start_matches('/');
    if authorization(request).contains(policy) {
        return answer(200, "");
    }
    let asked = format!(
        r#"{{"code":"c","authorization_parameters":{{"session_required_policies":["{policy}"]}}}}"#
    );
    answer(403, &asked)
}

/// A layer whose login returns a token that names every policy required so far.
fn accumulating(login: &Login) -> GareLayer {
    let (gate, met) = (
        login.clone(),
        Arc::new(std::sync::Mutex::new(String::new())),
    );
    GareLayer::new(globus_gare::reauth::reauth_fn(
        move |challenge: Challenge| {
            let (gate, met) = (gate.clone(), Arc::clone(&met));
            async move {
                gate.reauthenticate(&challenge).await?;
                let mut met = met.lock().expect("whole");
                for policy in &challenge
                    .gare()
                    .authorization_parameters
                    .session_required_policies
                {
                    met.push_str(policy);
                }
                Ok(Credential::bearer(met.as_str())?)
            }
        },
    ))
}

fn asked(login: &Login) -> Vec<Vec<String>> {
    let challenges = login.challenges();
    let policies = challenges.iter().map(|challenge| {
        &challenge
            .gare()
            .authorization_parameters
            .session_required_policies
    });
    policies.cloned().collect()
}

/// A request with a token of its own: it is sent at once, and waits only after its challenge.
fn old(path: &str) -> Request<Body> {
    presenting(get(path), "Bearer old")
}

#[checks::test]
async fn waiting_requirements_that_merge_share_one_login() {
    let login = Login::held();
    let client = behind(&accumulating(&login), |request| policies_by_path(&request));
    let first = spawn(&client, old("/pol-a"));
    settle().await;
    // These two wait for the first login, which does not cover them.
    let others = ["/pol-b", "/pol-c"].map(|path| spawn(&client, old(path)));
    settle().await;
    assert_eq!(asked(&login), [["pol-a"]]);
    login.let_go();
    settle().await;
    let together = &asked(&login)[1];
    assert_eq!(together.len(), 2, "{together:?}");
    login.let_go();
    for response in responses([first].into_iter().chain(others)).await {
        assert_eq!(response.status(), 200);
    }
    assert_eq!(login.logins(), 2);
}

#[checks::test]
async fn dropped_request_withdraws_its_requirement() {
    let login = Login::held();
    let client = behind(&accumulating(&login), |request| policies_by_path(&request));
    let first = spawn(&client, old("/pol-a"));
    settle().await;
    let stays = spawn(&client, old("/pol-b"));
    let leaves = spawn(&client, old("/pol-c"));
    settle().await;
    leaves.abort();
    settle().await;
    login.let_go();
    settle().await;
    login.let_go();
    for response in responses([first, stays]).await {
        assert_eq!(response.status(), 200);
    }
    assert_eq!(asked(&login), [["pol-a"], ["pol-b"]]);
}

/// A login that brings a token for each service.
#[derive(Clone, Default)]
struct PerService {
    logins: Arc<AtomicUsize>,
    at_a_time: Arc<AtomicUsize>,
}

#[async_trait]
impl Reauthenticator for PerService {
    async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError> {
        assert_eq!(
            self.at_a_time.fetch_add(1, Ordering::SeqCst),
            0,
            "one prompt at a time"
        );
        settle().await;
        self.logins.fetch_add(1, Ordering::SeqCst);
        self.at_a_time.fetch_sub(1, Ordering::SeqCst);
        let token = self
            .credential(&CredentialRequest::new(
                challenge.target().clone(),
                Why::Initial,
            ))
            .await?;
        token.ok_or_else(|| ReauthError::new("no token"))
    }

    async fn credential(
        &self,
        request: &CredentialRequest,
    ) -> Result<Option<Credential>, ReauthError> {
        let target = request.target();
        let login = self.logins.load(Ordering::SeqCst);
        let token = format!("{}-{login}", target.origin().host());
        Ok(Some(Credential::bearer(token)?))
    }
}

#[checks::test]
async fn one_login_gives_each_service_its_own_token() {
    let login = PerService::default();
    let session = Session::new(login.clone());
    let service = |session: &Session| -> Service {
        behind(&GareLayer::from_session(session.clone()), |request| {
            let host = request.uri().host().expect("a host").to_owned();
            let token = authorization(&request).to_owned();
            assert!(
                token.starts_with(&format!("Bearer {host}-")),
                "{token} went to {host}"
            );
            if token.ends_with("-0") {
                answer(403, MFA)
            } else {
                answer(200, "")
            }
        })
    };
    // Two clients of one session, and two services.
    let (one, two) = (service(&session), service(&session));
    let mut requests = Vec::new();
    for (client, host) in [
        (&one, "transfer"),
        (&two, "groups"),
        (&one, "groups"),
        (&two, "transfer"),
    ] {
        for _ in 0..5 {
            let uri = format!("https://{host}.api.globus.org/");
            let request = Request::get(uri).body(Body::default()).expect("a request");
            requests.push(spawn(client, request));
        }
    }
    for response in responses(requests).await {
        assert_eq!(response.status(), 200);
    }
    let logins = login.logins.load(Ordering::SeqCst);
    assert_eq!(
        logins, 1,
        "the token of the other service comes without another prompt"
    );
}
