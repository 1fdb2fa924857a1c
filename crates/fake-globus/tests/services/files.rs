//! Listings of real directories, and nothing outside them.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Fixture, document_code, ok, page, text, texts};

async fn names(fixture: &Fixture, query: &str) -> Vec<String> {
    let response = fixture.ls(&fixture.token(), query).await;
    assert_eq!(response.status(), 200, "{query}");
    let document = ok(response).await;
    let names = texts(&document, "/DATA", "/name").into_iter();
    names.map(str::to_owned).collect()
}

#[checks::test]
async fn listing_shows_files_and_directories() {
    let fixture = Fixture::open().await;
    fixture.make_directory("sub");
    let token = fixture.token();
    let document = ok(fixture.ls(&token, "?path=/").await).await;
    assert_eq!(text(&document, "/DATA_TYPE"), "file_list");
    assert_eq!(text(&document, "/path"), "/");
    let file = &document["DATA"][0];
    for (name, value) in [
        ("name", "hello.txt"),
        ("type", "file"),
        ("DATA_TYPE", "file"),
    ] {
        assert_eq!(file[name], value);
    }
    assert_eq!(file["size"], 5);
    assert_eq!(text(&document["DATA"][1], "/type"), "dir");
    let at = text(file, "/last_modified");
    assert!(
        at.len() == 25 && at.ends_with("+00:00") && at.as_bytes()[10] == b' ',
        "{at}"
    );
    assert_eq!(text(file, "/permissions").len(), 4);

    let id = &fixture.collection;
    // Without the version in the path.
    let stat = format!("operation/endpoint/{id}/stat?path=/~/hello.txt");
    let stat = ok(fixture.get(&stat, &token).await).await;
    assert_eq!(text(&stat, "/name"), "hello.txt");
    let endpoint = fixture.get(&format!("v0.10/endpoint/{id}"), &token).await;
    assert_eq!(text(&ok(endpoint).await, "/display_name"), "Samples");
}

#[checks::test]
async fn listing_is_filtered_ordered_and_limited() {
    let fixture = Fixture::open().await;
    for (name, size) in [("b.TXT", 1), ("c.csv", 10), (".hidden", 3)] {
        fs::write(fixture.dir.path().join(name), vec![0; size]).expect("a file");
    }
    fixture.make_directory("d");
    let by_type = "?orderby=type,name+DESC";
    let largest = "?orderby=size+DESC&filter=type:file&limit=2";
    for (query, expected) in [
        ("", &[".hidden", "b.TXT", "c.csv", "d", "hello.txt"][..]),
        ("?show_hidden=0", &["b.TXT", "c.csv", "d", "hello.txt"]),
        ("?filter=name:~*.txt", &["b.TXT", "hello.txt"]),
        ("?filter=name:!~*.txt&show_hidden=0", &["c.csv", "d"]),
        ("?filter=type:dir&filter=name:c.csv", &["c.csv", "d"]),
        ("?filter=type:file/name:~*.txt", &["b.TXT", "hello.txt"]),
        ("?filter=size:%3E4/type:file", &["c.csv", "hello.txt"]),
        ("?filter=last_modified:,2001-01-01", &[]),
        (by_type, &["d", "hello.txt", "c.csv", "b.TXT", ".hidden"]),
        (largest, &["c.csv", "hello.txt"]),
        ("?limit=2&offset=1", &["b.TXT", "c.csv"]),
    ] {
        assert_eq!(names(&fixture, query).await, expected, "{query}");
    }
    for query in [
        "?filter=nonsense",
        "?filter=user:x",
        "?orderby=nonsense",
        "?limit=x",
        "?orderby=name+UP",
    ] {
        let rejected = fixture.ls(&fixture.token(), query).await;
        assert_eq!(rejected.status(), 400, "{query}");
    }
}

#[checks::test]
async fn missing_paths_and_collections_are_errors() {
    let fixture = Fixture::open().await;
    let token = fixture.token();
    let ls = |path: &str| fixture.operation(&format!("ls?path={path}"));
    let stat = fixture.operation("stat?path=/nowhere");
    let nobody = |id: &str| format!("v0.10/operation/endpoint/{id}/ls");
    let not_a_directory = "ExternalError.DirListingFailed.NotDirectory";
    for (path, status, code) in [
        (ls("/nowhere/"), 404, "ClientError.NotFound"),
        (ls("/hello.txt"), 502, not_a_directory),
        (stat, 404, "NotFound"),
        (
            nobody("00000000-0000-0000-0000-000000000000"),
            404,
            "EndpointNotFound",
        ),
        (nobody("nonsense"), 404, "EndpointNotFound"),
    ] {
        let response = fixture.get(&path, &token).await;
        assert_eq!(document_code(response, status).await, code, "{path}");
    }
}

#[cfg(unix)]
#[checks::test]
async fn no_path_leaves_the_directory() {
    use std::os::unix::fs::symlink;

    let fixture = Fixture::open().await;
    let outside = tempfile::tempdir().expect("a directory");
    fs::write(outside.path().join("secret.txt"), "secret").expect("a file");
    fixture.make_directory("sub");
    let target = outside.path().to_str().expect("text");
    for (target, link) in [
        (target, "absolute"),
        ("..", "parent"),
        ("hello.txt", "inside"),
    ] {
        symlink(target, fixture.dir.path().join(link)).expect("a link");
    }
    let token = fixture.token();
    for path in [
        "/..",
        "..",
        "/../",
        "/sub/../../",
        "/~/../",
        "/~/..",
        "//..",
        "/./../",
        "/absolute",
        "/absolute/",
        "/parent/",
        "/%2e%2e/",
        "/sub/%2E%2E/%2e%2e",
        "/..%2f",
        "%2F..%2F",
        "/%00",
        "/sub%00/..",
    ] {
        let response = fixture.ls(&token, &format!("?path={path}")).await;
        let status = response.status().as_u16();
        assert!([400, 403, 404].contains(&status), "{path}: {status}");
        let shown = page(response).await;
        assert!(!shown.contains("secret.txt"), "{path}");
    }
    let name = outside.path().file_name().and_then(|name| name.to_str());
    let name = name.expect("text");
    for path in [
        format!("/../{name}/secret.txt"),
        "/absolute/secret.txt".into(),
        format!("/parent/{name}/secret.txt"),
    ] {
        let stat = fixture.operation(&format!("stat?path={path}"));
        let rejected = document_code(fixture.get(&stat, &token).await, 403).await;
        assert_eq!(rejected, "EndpointPermissionDenied", "{path}");
    }
    let listing = ok(fixture.ls(&token, "").await).await;
    let names_of_all = texts(&listing, "/DATA", "/name").into_iter();
    let kinds: Vec<_> = names_of_all
        .zip(texts(&listing, "/DATA", "/type"))
        .collect();
    let expected = [
        ("absolute", "invalid_symlink"),
        ("hello.txt", "file"),
        ("inside", "file"),
        ("parent", "invalid_symlink"),
        ("sub", "dir"),
    ];
    assert_eq!(kinds, expected);
    let up = names(&fixture, "?path=/sub/../").await;
    assert_eq!(up.len(), 5, "up is fine as long as it stays inside");
}

#[checks::test]
async fn mkdir_creates_a_directory_or_fails() {
    let fixture = Fixture::open().await;
    let token = fixture.token();
    let mkdir = fixture.operation("mkdir");
    let make = async |body: &Value| fixture.post_json(&mkdir, &token, body).await;
    let made = make(&json!({"DATA_TYPE": "mkdir", "path": "/new/"})).await;
    assert_eq!(document_code(made, 202).await, "DirectoryCreated");
    assert!(fixture.dir.path().join("new").is_dir());
    for (body, status) in [
        (json!({"path": "/new"}), 502),
        (json!({"path": "/missing/new"}), 404),
        (json!({"path": "/../new"}), 403),
        (json!({}), 400),
    ] {
        assert_eq!(make(&body).await.status(), status, "{body}");
    }
}
