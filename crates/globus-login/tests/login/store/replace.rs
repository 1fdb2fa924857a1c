//! The store replaces the token file as a whole.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::process::ExitStatusExt;

use checks::tokens::{DEFAULT, load, put, servers, token, token_file, update, user};
use globus_login::{JsonStore, Tokens};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};

use crate::support::program::{self, Program};

#[checks::test(seconds = 600)]
async fn write_leaves_readers_the_whole_old_file() {
    let (home, store) = token_file();
    put(&store, &user(DEFAULT), token("old", "old")).await;
    let link = home.path().join("link.json");
    symlink(store.path(), &link).expect("a link");
    for path in [store.path().to_owned(), link] {
        let before = fs::read_to_string(&path).expect("a file");
        let mut reader = File::open(&path).expect("a file");
        let also = tempfile::tempdir_in(home.path()).expect("a directory");
        let also = also.path().join("tokens.json");
        fs::hard_link(store.path(), &also).expect("the same file");

        let server = path.file_name().expect("a name").to_string_lossy();
        let through = JsonStore::new(&path);
        put(&through, &user(DEFAULT), token(&server, "new")).await;
        let after = fs::read_to_string(store.path()).expect("a file");
        assert!(after.contains(&*server), "{after}");
        // A reader of the old file can read all of it.
        let mut seen = String::new();
        reader.read_to_string(&mut seen).expect("a file");
        assert_eq!(seen, before);
        assert_eq!(fs::read_to_string(&also).expect("a file"), before);
        let inode = |path| fs::metadata(path).expect("a file").ino();
        assert_ne!(inode(store.path()), inode(&also));
    }
}

/// Writes more than the file size limit: the system kills the program in the middle of the write.
async fn write_too_much(store: &JsonStore) {
    for (resource, bytes) in [(Resource::Core, 0), (Resource::Fsize, 2048)] {
        let maximum = getrlimit(resource).maximum;
        let limit = Rlimit {
            current: Some(bytes),
            maximum,
        };
        setrlimit(resource, limit).expect("a limit");
    }
    let write = |tokens: &mut Tokens| {
        for number in 0..100 {
            let server = format!("server-{number}");
            tokens.insert(server.clone(), token(&server, "new"));
        }
    };
    update(store, &user(DEFAULT), write).await;
    unreachable!("the system ends the program");
}

#[checks::test(seconds = 600)]
async fn write_that_is_cut_short_leaves_the_old_file() {
    if let Some(path) = program::argument() {
        return write_too_much(&JsonStore::new(path)).await;
    }
    let (_home, store) = token_file();
    put(&store, &user(DEFAULT), token("old", "old")).await;
    let before = fs::read(store.path()).expect("a file");
    let path = store.path().to_str().expect("text");
    let writer = Program::start(module_path!(), path, &[]);
    let (status, printed) = writer.ended().await;
    assert_eq!(status.signal(), Some(Signal::XFSZ.as_raw()), "{printed}");
    assert_eq!(fs::read(store.path()).expect("a file"), before);
    // Other programs can write.
    put(&store, &user(DEFAULT), token("new", "new")).await;
    let tokens = load(&store, &user(DEFAULT)).await;
    assert_eq!(servers(&tokens), ["new", "old"]);
}
