use super::*;

const OLD: &str = r#"{"data": {"DEFAULT": {}}, "format_version": "2.0"}"#;
const LATE: &str = r#"{"data": {"DEFAULT": {"late": 1}}, "format_version": "2.0"}"#;

#[checks::test]
fn damaged_content_is_forgotten_when_a_document_is_read() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("tokens.json");
    fs::write(&path, OLD).expect("a file");
    let file = TokenFile::new(path, false);
    // As after an empty file that nobody has written.
    *file.damaged() = Some(digest(b""));
    file.read().expect("a file");
    assert!(!file.is_damaged(b"", Instant::now()), "Python may write it");
}

#[checks::test]
fn removed_file_does_not_come_back() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("tokens.json");
    let [ours, other] = [(); 2].map(|()| TokenFile::new(path.clone(), false));
    let put = |file: &TokenFile, name: &str| {
        let sealed = serde_json::value::to_raw_value(name).expect("a text");
        let mut put = |document: &Document| {
            let mut next = document.clone();
            next.set_sealed(name.to_owned(), sealed.clone());
            Ok(Some(next))
        };
        file.change(&mut put).expect("a write");
    };
    for name in ["one", "two", "three"] {
        put(&ours, name);
    }
    fs::remove_file(&path).expect("a file");
    put(&other, "new");
    let read = ours.read().expect("a file");
    assert!(read.sealed("new").is_some() && read.sealed("three").is_none());
    assert_eq!(read.writes(), 1);
}

/// There was no file before our first write, so another program cannot have undone it.
#[checks::test]
fn removed_first_file_does_not_come_back() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("tokens.json");
    let file = TokenFile::new(path.clone(), false);
    let mut put = |document: &Document| {
        let mut next = document.clone();
        let sealed = serde_json::value::to_raw_value("text").expect("a text");
        next.set_sealed("ours".to_owned(), sealed);
        Ok(Some(next))
    };
    file.change(&mut put).expect("a write");
    fs::remove_file(&path).expect("a file");
    fs::write(&path, OLD).expect("a file of Python");
    assert!(file.read().expect("a file").sealed("ours").is_none());
}

/// Python opens the file before it is replaced, and writes after that.
#[checks::test]
fn write_into_the_replaced_file_is_found() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("tokens.json");
    for (written, is_found) in [(LATE, true), (OLD, false)] {
        fs::write(&path, OLD).expect("a file");
        let file = TokenFile::new(path.clone(), false);
        let mut before = file.read_whole(&path).expect("a file");
        let mut python = fs::OpenOptions::new()
            .write(true)
            .open(&path)
            .expect("a file");
        assert!(replace(&path, b"{}", &before).expect("a file"));
        python.write_all(written.as_bytes()).expect("the old file");
        let late = file.late_write(&mut before);
        assert_eq!(late.is_some(), is_found, "{written}");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "{}");
    }
}

#[cfg(unix)]
#[checks::test]
fn directory_of_an_app_is_closed_to_others() {
    use std::os::unix::fs::PermissionsExt;

    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("tokens.json");
    fs::write(&path, OLD).expect("a file");
    for (has_own_directory, closed) in [(false, 0o755), (true, 0o700)] {
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(home.path(), open).expect("ours");
        let file = TokenFile::new(path.clone(), has_own_directory);
        file.read().expect("a file");
        let mode = fs::metadata(home.path())
            .expect("ours")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, closed);
    }
}

#[checks::test]
fn file_that_changed_since_it_was_read_is_not_replaced() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("tokens.json");
    let file = TokenFile::new(path.clone(), false);
    let nothing = file.read_whole(&path).expect("no file");
    fs::write(&path, OLD).expect("a file");
    let before = file.read_whole(&path).expect("a file");
    assert!(!replace(&path, b"{}", &nothing).expect("the file is there by now"));
    fs::write(&path, LATE).expect("a file");
    assert!(!replace(&path, b"{}", &before).expect("the file is another by now"));
    assert_eq!(fs::read_to_string(&path).expect("a file"), LATE);
}
