//! A program that is killed while it writes.

use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use globus_login::{JsonFileStore, TokenStore, Tokens};

use checks::tokens::token;

const FILE: &str = "GLOBUS_GARE_TEST_WRITES";
const TOKENS: usize = 200;
const KILLS: u64 = 40;

/// What the program that is killed does: writes all tokens, again and again, each time with one more number.
async fn write_for_ever(path: OsString) {
    let store = JsonFileStore::new(path);
    loop {
        let write = |tokens: &mut Tokens| {
            let last = tokens
                .values()
                .next()
                .map_or(0, |token| token.scope().parse::<u64>().expect("a number"));
            for server in 0..TOKENS {
                let server = format!("server-{server:03}");
                let mut kept = serde_json::to_value(token(&server, "secret")).expect("JSON");
                kept["scope"] = (last + 1).to_string().into();
                tokens.insert(server, serde_json::from_value(kept).expect("a token"));
            }
        };
        store
            .update("DEFAULT", Box::new(write))
            .await
            .expect("written");
        println!("written");
    }
}

#[checks::test(seconds = 600)]
async fn killed_writer_leaves_a_whole_file() {
    // This very test is the program that is killed, where it is told what to write.
    if let Some(path) = env::var_os(FILE) {
        return write_for_ever(path).await;
    }
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("tokens.json");
    let store = JsonFileStore::new(&path);
    let mut last = 0;
    for kill in 0..KILLS {
        let mut writer = start(&path);
        let mut said = BufReader::new(writer.stdout.take().expect("a pipe")).lines();
        // It is at work: the first write is done. How long one takes is what the moments are spread over.
        let mut written = || assert!(said.any(|line| line.expect("text") == "written"));
        written();
        let began = Instant::now();
        written();
        let moment = began.elapsed().mul_f64(kill as f64 / KILLS as f64);
        spin(moment);
        writer.kill().expect("it ran");
        writer.wait().expect("it ended");

        let tokens = store.load("DEFAULT").await.expect("a whole file");
        let numbers: Vec<&str> = tokens.values().map(|token| token.scope()).collect();
        assert_eq!(numbers.len(), TOKENS);
        assert!(
            numbers.windows(2).all(|pair| pair[0] == pair[1]),
            "half of one write, half of another"
        );
        let number: u64 = numbers[0].parse().expect("a number");
        assert!(
            number >= last + 2,
            "a write that was told of is lost: {number} after {last}"
        );
        last = number;
    }
    let text = std::fs::read(&path).expect("a file");
    serde_json::from_slice::<serde_json::Value>(&text).expect("JSON");
}

fn start(path: &Path) -> std::process::Child {
    Command::new(env::current_exe().expect("this test"))
        .args(["--exact", "--nocapture"])
        .arg("store::kill::killed_writer_leaves_a_whole_file")
        .env(FILE, path)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts")
}

/// A moment too short for a timer.
fn spin(moment: Duration) {
    let began = Instant::now();
    while began.elapsed() < moment {
        std::hint::spin_loop();
    }
}
