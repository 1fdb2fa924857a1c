//! Listing real directories, and nothing outside them.

use serde_json::{Value, json};

use crate::support::{Fixture, text};

async fn names(fixture: &Fixture, query: &str) -> Vec<String> {
    let response = fixture.ls(&fixture.token(), query).await;
    assert_eq!(response.status(), 200, "{query}");
    let document: Value = response.json().await.unwrap();
    document["DATA"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| text(entry, "/name").to_owned())
        .collect()
}

#[checks::test]
async fn listing_shows_files_and_directories() {
    let fixture = Fixture::new(|c| c).await;
    std::fs::create_dir(fixture.dir.path().join("sub")).unwrap();
    let document: Value = fixture
        .ls(&fixture.token(), "?path=/")
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(text(&document, "/DATA_TYPE"), "file_list");
    assert_eq!(text(&document, "/path"), "/");
    let file = &document["DATA"][0];
    assert_eq!(
        (
            text(file, "/name"),
            text(file, "/type"),
            text(file, "/DATA_TYPE")
        ),
        ("hello.txt", "file", "file")
    );
    assert_eq!(file["size"], 5);
    assert_eq!(text(&document["DATA"][1], "/type"), "dir");
    let at = text(file, "/last_modified");
    assert!(
        at.len() == 25 && at.ends_with("+00:00") && at.as_bytes()[10] == b' ',
        "{at}"
    );
    assert_eq!(text(file, "/permissions").len(), 4);

    let stat = format!(
        "operation/endpoint/{}/stat?path=/~/hello.txt",
        fixture.collection
    );
    let stat = fixture.get(&stat, &fixture.token()).await;
    assert_eq!(text(&stat.json().await.unwrap(), "/name"), "hello.txt");
    let endpoint = fixture
        .get(
            &format!("v0.10/endpoint/{}", fixture.collection),
            &fixture.token(),
        )
        .await;
    assert_eq!(
        text(&endpoint.json().await.unwrap(), "/display_name"),
        "uc-restricted-col"
    );
}

#[checks::test]
async fn listing_is_filtered_ordered_and_cut() {
    let fixture = Fixture::new(|c| c).await;
    for (name, size) in [("b.TXT", 1), ("c.csv", 10), (".hidden", 3)] {
        std::fs::write(fixture.dir.path().join(name), vec![0; size]).unwrap();
    }
    std::fs::create_dir(fixture.dir.path().join("d")).unwrap();
    for (query, expected) in [
        ("", &[".hidden", "b.TXT", "c.csv", "d", "hello.txt"][..]),
        ("?show_hidden=0", &["b.TXT", "c.csv", "d", "hello.txt"]),
        ("?filter=name:~*.txt", &["b.TXT", "hello.txt"]),
        ("?filter=name:!~*.txt&show_hidden=0", &["c.csv", "d"]),
        ("?filter=type:dir&filter=name:c.csv", &["c.csv", "d"]),
        ("?filter=type:file/name:~*.txt", &["b.TXT", "hello.txt"]),
        ("?filter=size:%3E4/type:file", &["c.csv", "hello.txt"]),
        ("?filter=last_modified:,2001-01-01", &[]),
        (
            "?orderby=type,name+DESC",
            &["d", "hello.txt", "c.csv", "b.TXT", ".hidden"],
        ),
        (
            "?orderby=size+DESC&filter=type:file&limit=2",
            &["c.csv", "hello.txt"],
        ),
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
        assert_eq!(
            fixture.ls(&fixture.token(), query).await.status(),
            400,
            "{query}"
        );
    }
}

#[checks::test]
async fn missing_paths_and_collections_are_refused() {
    let fixture = Fixture::new(|c| c).await;
    let token = fixture.token();
    let missing = fixture.ls(&token, "?path=/nowhere/").await;
    assert_eq!(missing.status(), 404);
    assert_eq!(
        text(&missing.json().await.unwrap(), "/code"),
        "ClientError.NotFound"
    );
    let file = fixture.ls(&token, "?path=/hello.txt").await;
    assert_eq!(file.status(), 502);
    assert_eq!(
        text(&file.json().await.unwrap(), "/code"),
        "ExternalError.DirListingFailed.NotDirectory"
    );
    let stat = fixture
        .get(
            &format!(
                "v0.10/operation/endpoint/{}/stat?path=/nowhere",
                fixture.collection
            ),
            &token,
        )
        .await;
    assert_eq!(
        (
            stat.status().as_u16(),
            text(&stat.json().await.unwrap(), "/code")
        ),
        (404, "NotFound")
    );
    for id in ["00000000-0000-0000-0000-000000000000", "nonsense"] {
        let nobody = fixture
            .get(&format!("v0.10/operation/endpoint/{id}/ls"), &token)
            .await;
        assert_eq!(
            (
                nobody.status().as_u16(),
                text(&nobody.json().await.unwrap(), "/code")
            ),
            (404, "EndpointNotFound")
        );
    }
}

#[cfg(unix)]
#[checks::test]
async fn no_path_leads_out_of_the_directory() {
    use std::os::unix::fs::symlink;
    let fixture = Fixture::new(|c| c).await;
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.txt"), "secret").unwrap();
    std::fs::create_dir(fixture.dir.path().join("sub")).unwrap();
    symlink(outside.path(), fixture.dir.path().join("absolute")).unwrap();
    symlink("..", fixture.dir.path().join("parent")).unwrap();
    symlink("hello.txt", fixture.dir.path().join("inside")).unwrap();
    let name = outside
        .path()
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
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
        assert!(
            [400, 403, 404].contains(&response.status().as_u16()),
            "{path}: {}",
            response.status()
        );
        assert!(
            !response.text().await.unwrap().contains("secret.txt"),
            "{path}"
        );
    }
    for path in [
        format!("/../{name}/secret.txt"),
        "/absolute/secret.txt".into(),
        format!("/parent/{name}/secret.txt"),
    ] {
        let stat = fixture
            .get(
                &format!(
                    "v0.10/operation/endpoint/{}/stat?path={path}",
                    fixture.collection
                ),
                &token,
            )
            .await;
        assert_eq!(stat.status(), 403, "{path}");
        assert_eq!(
            text(&stat.json().await.unwrap(), "/code"),
            "EndpointPermissionDenied"
        );
    }
    let listing: Value = fixture.ls(&token, "").await.json().await.unwrap();
    let kinds: Vec<_> = listing["DATA"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (text(e, "/name"), text(e, "/type")))
        .collect();
    let expected = [
        ("absolute", "invalid_symlink"),
        ("hello.txt", "file"),
        ("inside", "file"),
        ("parent", "invalid_symlink"),
        ("sub", "dir"),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(
        names(&fixture, "?path=/sub/../").await.len(),
        5,
        "up is fine as long as it stays inside"
    );
}

#[checks::test]
async fn mkdir_makes_a_directory_or_says_why_not() {
    let fixture = Fixture::new(|c| c).await;
    let token = fixture.token();
    let url = fixture.url(&format!(
        "v0.10/operation/endpoint/{}/mkdir",
        fixture.collection
    ));
    let make = |body: Value| {
        fixture
            .http
            .post(&url)
            .bearer_auth(&token)
            .json(&body)
            .send()
    };
    let made = make(json!({"DATA_TYPE": "mkdir", "path": "/new/"}))
        .await
        .unwrap();
    assert_eq!(made.status(), 202);
    assert_eq!(
        text(&made.json().await.unwrap(), "/code"),
        "DirectoryCreated"
    );
    assert!(fixture.dir.path().join("new").is_dir());
    for (body, status) in [
        (json!({"path": "/new"}), 502),
        (json!({"path": "/missing/new"}), 404),
        (json!({"path": "/../new"}), 403),
        (json!({}), 400),
    ] {
        assert_eq!(make(body.clone()).await.unwrap().status(), status, "{body}");
    }
}
