//! The HTTPS server of a collection.

use std::fs;
use std::time::Duration;

use fake_globus::Policy;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::{ALL, Fixture, location, ok, page, parameter, send, text, told};

struct Site {
    fixture: Fixture,
    server: String,
    token: String,
}

impl Site {
    async fn new(fixture: Fixture) -> Self {
        let path = format!("v0.10/endpoint/{}", fixture.collection);
        let document = ok(fixture.get(&path, &fixture.token()).await).await;
        let server = text(&document, "/https_server").to_owned();
        let scope = format!(
            "https://auth.globus.org/scopes/{}/https",
            fixture.collection
        );
        let token = fixture.globus.issue_token(&fixture.ada, &scope);
        Self {
            server,
            token: token.expect("a token"),
            fixture,
        }
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&'static str, &str)]) -> Response {
        let url = format!("{}{path}", self.server);
        let request = self
            .fixture
            .http
            .request(method, url)
            .bearer_auth(&self.token);
        let each = headers.iter();
        send(each.fold(request, |request, (name, value)| {
            request.header(*name, *value)
        }))
        .await
    }

    /// The requirement of the challenge to a request.
    async fn required(&self) -> Value {
        let shown = page(self.get("/hello.txt", &[]).await).await;
        let result = shown.split_once("GridFTP-JSON-Result: ");
        let (_, result) = result.expect("a challenge");
        let result: Value = serde_json::from_str(result).expect("JSON");
        result["authorization_parameters"].clone()
    }

    async fn get(&self, path: &str, headers: &[(&'static str, &str)]) -> Response {
        self.ask(Method::GET, path, headers).await
    }
}

#[checks::test]
async fn file_is_sent_whole_or_in_ranges() {
    let site = Site::new(Fixture::open().await).await;
    assert!(!site.server.starts_with(site.fixture.globus.transfer_url()));
    let whole = site.get("/hello.txt", &[]).await;
    assert_eq!(whole.status(), 200);
    assert_eq!(page(whole).await, "hello");
    for (range, status, shown, content) in [
        ("bytes=1-2", 206, Some("bytes 1-2/5"), "el"),
        ("bytes=3-", 206, Some("bytes 3-4/5"), "lo"),
        ("bytes=-2", 416, Some("bytes */5"), ""),
        ("bytes=5-", 416, Some("bytes */5"), ""),
    ] {
        let part = site.get("/hello.txt", &[("range", range)]).await;
        assert_eq!(part.status(), status, "{range}");
        let header = part.headers().get("content-range").cloned();
        let header = header.as_ref().and_then(|value| value.to_str().ok());
        assert_eq!(header, shown, "{range}");
        assert_eq!(page(part).await, content, "{range}");
    }
    let head = site.ask(Method::HEAD, "/hello.txt", &[]).await;
    assert_eq!(head.headers()["content-length"], "5");
    assert_eq!(page(head).await, "");
}

#[checks::test]
async fn long_file_is_streamed() {
    let site = Site::new(Fixture::open().await).await;
    let path = site.fixture.dir.path().join("long.bin");
    let content: Vec<u8> = (0..1_000_003_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    fs::write(&path, &content).expect("a file");
    let whole = site.get("/long.bin", &[]).await;
    assert_eq!(whole.headers()["content-length"], "1000003");
    assert_eq!(whole.bytes().await.expect("bytes"), content);
    let part = site.get("/long.bin", &[("range", "bytes=5-900004")]).await;
    assert_eq!(part.bytes().await.expect("bytes"), content[5..900_005]);
}

#[checks::test]
async fn file_larger_than_memory_is_served() {
    let site = Site::new(Fixture::open().await).await;
    let file = fs::File::create(site.fixture.dir.path().join("huge.bin"));
    // It takes no space on the disk.
    file.expect("a file").set_len(1 << 40).expect("a length");
    let head = site.ask(Method::HEAD, "/huge.bin", &[]).await;
    assert_eq!(head.headers()["content-length"], (1_u64 << 40).to_string());
    let mut whole = site.get("/huge.bin", &[]).await;
    let first = whole.chunk().await.expect("bytes").expect("a piece");
    assert!(first.iter().all(|byte| *byte == 0));
    drop(whole);
    assert_eq!(site.get("/hello.txt", &[]).await.status(), 200);
}

#[checks::test]
async fn request_without_a_token_is_redirected_to_auth() {
    let site = Site::new(Fixture::open().await).await;
    for token in [None, Some(site.fixture.token())] {
        let mut request = site.fixture.http.get(format!("{}/hello.txt", site.server));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = send(request).await;
        assert_eq!(response.status(), 302);
        let url = location(&response);
        assert!(
            url.as_str()
                .starts_with(&site.fixture.url("v2/oauth2/authorize?"))
        );
        let client = parameter(&url, "client_id");
        assert_eq!(client.as_ref(), Some(&site.fixture.collection));
    }
}

#[checks::test]
async fn every_error_is_a_404_with_a_text() {
    let site = Site::new(Fixture::new(|c| c.session_minutes(10)).await).await;
    site.fixture.make_directory("sub");
    for (path, code) in [
        ("/nowhere.txt", "PATH_NOT_FOUND"),
        ("/sub/", "PATH_NOT_FOUND"),
        ("/hello.txt/deep", "PATH_NOT_FOUND"),
        ("/..%2f..%2fetc/passwd", "PATH_NOT_ALLOWED"),
    ] {
        let rejected = site.get(path, &[]).await;
        assert_eq!(rejected.status(), 404, "{path}");
        let kind = rejected.headers()["content-type"]
            .to_str()
            .expect("text")
            .to_owned();
        assert!(kind.starts_with("text/plain"), "{kind}");
        let shown = page(rejected).await;
        assert!(
            shown.contains(&format!("GlobusError: v=1 c={code}\n")),
            "{path}: {shown}"
        );
    }
    let head = site.ask(Method::HEAD, "/nowhere.txt", &[]).await;
    assert_eq!(head.status(), 404);
    assert_eq!(page(head).await, "");

    site.fixture
        .globus
        .clock()
        .advance(Duration::from_secs(601));
    let old = site.get("/hello.txt", &[]).await;
    assert_eq!(old.status(), 404);
    let shown = page(old).await;
    assert!(
        shown.contains("c=LOGIN_DENIED\nGridFTP-JSON-Result: {\"DATA_TYPE\""),
        "{shown}"
    );
    let seen = site.fixture.globus.requests().pop().expect("a request");
    assert_eq!(seen.operation, Some("https_get"));
    assert_eq!(seen.user.as_deref(), Some("ada@uchicago.edu"));
}

#[checks::test]
async fn data_access_is_needed_beside_the_https_scope() {
    let fixture = Fixture::new(|c| c.data_access()).await;
    let data_access = format!(
        "https://auth.globus.org/scopes/{}/data_access",
        fixture.collection
    );
    let site = Site::new(fixture).await;
    let needed = format!("{ALL}[*{data_access}]");
    let scopes = site.required().await["required_scopes"].clone();
    assert_eq!(scopes, json!([needed]));
    site.fixture.log_in(&needed, &[]).await;
    assert_eq!(site.get("/hello.txt", &[]).await.status(), 200);

    // Or in the same token.
    let mut site = Site::new(Fixture::new(|c| c.data_access()).await).await;
    let https = data_access.replace("data_access", "https");
    let (globus, ada) = (&site.fixture.globus, &site.fixture.ada);
    let token = globus.issue_token(ada, &format!("{https} {data_access}"));
    site.token = token.expect("a token");
    assert_eq!(site.get("/hello.txt", &[]).await.status(), 200);
}

#[checks::test]
async fn files_are_put_and_deleted() {
    let site = Site::new(Fixture::open().await).await;
    let url = format!("{}/new%20file.txt", site.server);
    let put = site.fixture.http.put(url).bearer_auth(&site.token);
    assert_eq!(send(put.body("new")).await.status(), 200);
    let file = site.fixture.dir.path().join("new file.txt");
    assert_eq!(fs::read_to_string(&file).expect("a file"), "new");
    assert_eq!(
        site.ask(Method::DELETE, "/new%20file.txt", &[])
            .await
            .status(),
        200
    );
    assert!(!file.exists());
    assert_eq!(
        site.ask(Method::PATCH, "/hello.txt", &[]).await.status(),
        501
    );
}

#[cfg(unix)]
#[checks::test]
async fn fifo_is_neither_read_nor_written() {
    let site = Site::new(Fixture::open().await).await;
    site.fixture.make_fifo("pipe");
    for method in [Method::GET, Method::HEAD, Method::PUT] {
        let rejected = site.ask(method.clone(), "/pipe", &[]).await;
        assert_eq!(rejected.status(), 404, "{method}");
    }
}

#[checks::test]
async fn challenge_names_the_unmet_policy() {
    let policy = Policy::new("Globus ID").domain("globusid.org");
    let id = policy.id().to_string();
    let mut site = Site::new(Fixture::new(|c| c.policy(policy)).await).await;
    let parameters = site.required().await;
    assert_eq!(parameters["session_required_policies"], json!([id]));
    let scope = format!(
        "https://auth.globus.org/scopes/{}/https",
        site.fixture.collection
    );
    let login = [("session_required_policies", id.as_str())];
    let tokens = site.fixture.log_in(&scope, &login).await;
    text(&tokens, "/access_token").clone_into(&mut site.token);
    assert_eq!(site.get("/hello.txt", &[]).await.status(), 200);
}

#[checks::test]
async fn shutdown_waits_for_requests_to_collections() {
    let site = Site::new(Fixture::open().await).await;
    let slow = json!({"service": "https", "delay_ms": 500});
    told(&site.fixture, "fail", slow).await;
    let request = site.fixture.http.get(format!("{}/hello.txt", site.server));
    let request = tokio::spawn(send(request.bearer_auth(&site.token)));
    // The fault is removed when the request arrives.
    while site.fixture.globus.dump().contains("\"delay_ms\":500") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    site.fixture.globus.shutdown().await.expect("an end");
    let answer = tokio::time::timeout(Duration::from_millis(200), request).await;
    let answer = answer.expect("an answer in time").expect("an answer");
    assert_eq!(answer.status(), 200);
}
