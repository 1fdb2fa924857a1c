//! A program that is killed while it writes.

use std::time::{Duration, Instant};

use checks::tokens::{DEFAULT, load, token, token_file, update, user, with};
use globus_login::{JsonStore, Tokens};
use serde_json::json;

use crate::support::program::{self, Program};

const TOKENS: usize = 200;
const KILLS: u64 = 40;

/// The report after each write.
const WRITTEN: &str = "written";

/// Writes all tokens again and again. Their scope is the number of the write.
async fn write_for_ever(store: &JsonStore) {
    let write = |tokens: &mut Tokens| {
        let last = tokens
            .values()
            .next()
            .map_or(0, |token| token.scope().parse::<u64>().expect("a number"));
        for server in 0..TOKENS {
            let server = format!("server-{server:03}");
            let numbered = json!({"scope": (last + 1).to_string()});
            let token = with(&token(&server, "secret"), numbered);
            tokens.insert(server, token);
        }
    };
    loop {
        update(store, &user(DEFAULT), write).await;
        program::report(WRITTEN);
    }
}

#[checks::test(seconds = 600)]
async fn killed_writer_leaves_a_whole_file() {
    if let Some(path) = program::argument() {
        return write_for_ever(&JsonStore::new(path)).await;
    }
    let (_home, store) = token_file();
    let path = store.path().to_str().expect("text");
    let mut last = 0;
    for kill in 0..KILLS {
        let mut writer = Program::start(module_path!(), path, &[]);
        // After the first write. The times of the kills are spread over the duration of one write.
        assert_eq!(writer.reported().await, WRITTEN);
        let began = Instant::now();
        assert_eq!(writer.reported().await, WRITTEN);
        spin(began.elapsed().mul_f64(kill as f64 / KILLS as f64));
        writer.kill().await;

        let tokens = load(&store, &user(DEFAULT)).await;
        let numbers: Vec<&str> = tokens.values().map(|token| token.scope()).collect();
        assert_eq!(numbers.len(), TOKENS);
        assert!(
            numbers.windows(2).all(|pair| pair[0] == pair[1]),
            "parts of two writes"
        );
        let number: u64 = numbers[0].parse().expect("a number");
        assert!(
            number >= last + 2,
            "a write that was reported is lost: {number} after {last}"
        );
        last = number;
    }
    let text = std::fs::read(path).expect("a file");
    serde_json::from_slice::<serde_json::Value>(&text).expect("JSON");
}

/// Waits for a time that is too short for a timer.
fn spin(moment: Duration) {
    let began = Instant::now();
    while began.elapsed() < moment {
        std::hint::spin_loop();
    }
}
