//! Long listings are written while they arrive.

use std::process::Stdio;
use std::time::{Duration, Instant};

use checks::site::command;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::support::*;
use crate::waiting::interrupt;

const ENTRIES: usize = 20_000;
const COLLECTION: &str = "6c54cade-bde5-45c1-bdea-f4bd71dba2cc";

/// A Transfer service whose response bodies the test writes.
struct Service {
    listener: TcpListener,
}

impl Service {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        Self { listener }
    }

    fn ls(&self, arguments: &[&str]) -> tokio::process::Command {
        let address = self.listener.local_addr().expect("an address");
        let mut command = command(PROGRAM, arguments);
        command
            .arg(COLLECTION)
            .env(
                "GLOBUS_SDK_SERVICE_URL_TRANSFER",
                format!("http://{address}"),
            )
            .env("GLOBUS_ACCESS_TOKEN", "t0ken")
            .stdout(Stdio::piped());
        command
    }

    /// Accepts a request.
    async fn request(&self) -> TcpStream {
        let (mut stream, _) = self.listener.accept().await.expect("a request");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("a request"));
        }
        stream
    }

    /// Accepts a request, and starts a response that ends with the connection.
    async fn answer(&self) -> TcpStream {
        let mut stream = self.request().await;
        let answer =
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.expect("sent");
        stream
    }
}

fn entry(number: usize) -> String {
    let comma = if number == 0 { "" } else { "," };
    format!(
        "{comma}{{\"DATA_TYPE\": \"file\", \"group\": \"users\", \"last_modified\": \"2026-01-31 12:00:00+00:00\", \
         \"link_group\": null, \"link_last_modified\": null, \"link_size\": null, \"link_target\": null, \
         \"link_user\": null, \"name\": \"measurement-{number}.csv\", \"permissions\": \"0644\", \
         \"size\": {number}, \"type\": \"file\", \"user\": \"ada\"}}"
    )
}

/// The peak memory of a process, in KiB.
#[cfg(target_os = "linux")]
fn peak(process: u32) -> u64 {
    let status =
        std::fs::read_to_string(format!("/proc/{process}/status")).expect("the program runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let words = line.and_then(|line| line.split_whitespace().next());
    words.expect("a peak").parse().expect("a number")
}

#[cfg(target_os = "linux")]
#[checks::test(seconds = 600)]
async fn entries_are_written_while_they_arrive() {
    for form in ["text", "jsonl", "json"] {
        let service = Service::start().await;
        let mut child = service
            .ls(&["--format", form])
            .spawn()
            .expect("the program starts");
        let process = child.id().expect("the program runs");
        let stdout = child.stdout.take().expect("a pipe");
        let mut lines = BufReader::new(stdout).lines();
        let mut stream = service.answer().await;
        let head = format!(
            "{{\"DATA_TYPE\": \"file_list\", \"path\": \"/\", \"DATA\": [{}",
            entry(0)
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        // The service sends nothing more until the first line is printed.
        let first = lines.next_line().await.expect("text").expect("a line");
        let before = peak(process);
        let (sent, read) = tokio::join!(
            async {
                for number in 1..ENTRIES {
                    stream
                        .write_all(entry(number).as_bytes())
                        .await
                        .expect("sent");
                }
                stream
            },
            async {
                let mut read = vec![first];
                let last = format!("measurement-{}.csv", ENTRIES - 1);
                while !read.last().is_some_and(|line| line.contains(&last)) {
                    read.push(lines.next_line().await.expect("text").expect("a line"));
                }
                read
            }
        );
        let grown = peak(process) - before;
        println!("{form}: {grown} KiB above {before} KiB");
        assert!(grown < 20 * 1024, "{form}: {grown} KiB");
        let mut stream = sent;
        let end = format!("], \"total\": {ENTRIES}}}");
        stream.write_all(end.as_bytes()).await.expect("sent");
        drop(stream);
        let mut read = read;
        while let Some(line) = lines.next_line().await.expect("text") {
            read.push(line);
        }
        assert_eq!(
            child.wait().await.expect("the program ends").code(),
            Some(0)
        );
        match form {
            "text" => assert_eq!((read.len(), &*read[1]), (ENTRIES, "measurement-1.csv")),
            "jsonl" => {
                let entry: serde_json::Value = serde_json::from_str(&read[7]).expect("JSON");
                assert_eq!((read.len(), &entry["size"]), (ENTRIES, &7.into()));
            }
            _ => {
                let document: serde_json::Value =
                    serde_json::from_str(&read.join("\n")).expect("one document");
                assert_eq!(document["DATA"].as_array().map(Vec::len), Some(ENTRIES));
                assert_eq!(document["DATA_TYPE"], "file_list");
            }
        }
    }
}

#[checks::test(seconds = 600)]
async fn timeout_limits_a_pause_and_not_the_listing() {
    let service = Service::start().await;
    let mut command = service.ls(&["--timeout", "5"]);
    command.stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let stdout = child.stdout.take().expect("a pipe");
    let mut lines = BufReader::new(stdout).lines();
    let mut stream = service.answer().await;
    stream.write_all(b"{\"DATA\": [").await.expect("sent");
    let (started, mut number) = (Instant::now(), 0);
    while started.elapsed() < Duration::from_secs(6) {
        let sent = stream.write_all(entry(number).as_bytes()).await;
        sent.expect("the program reads after the timeout");
        let line = lines.next_line().await.expect("text");
        assert_eq!(line, Some(format!("measurement-{number}.csv")));
        number += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // The service sends nothing more.
    let output = child.wait_with_output().await.expect("the program ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("did not send the listing of the default directory in time"),
        "{stderr}"
    );
}

#[checks::test(seconds = 600)]
async fn incomplete_listing_is_an_error() {
    for form in ["text", "json"] {
        let service = Service::start().await;
        let mut command = service.ls(&["--format", form]);
        command.stderr(Stdio::piped());
        let child = command.spawn().expect("the program starts");
        let mut stream = service.answer().await;
        let begun = format!("{{\"DATA\": [{}", entry(0));
        stream.write_all(begun.as_bytes()).await.expect("sent");
        drop(stream);
        let output = child.wait_with_output().await.expect("the program ends");
        let (stdout, stderr) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("is not a listing"), "{stderr}");
        if form == "json" {
            let document: serde_json::Value = serde_json::from_str(&stdout).expect("a document");
            assert_eq!(document["length"], 1);
            assert_eq!(document["errors"].as_array().map(Vec::len), Some(1));
        } else {
            assert_eq!(stdout, "measurement-0.csv\n");
        }
    }
}

#[checks::test(seconds = 600)]
async fn broken_connection_costs_one_directory() {
    let service = Service::start().await;
    let mut command = service.ls(&["-R", "--format", "json", "--timeout", "5"]);
    command.stderr(Stdio::piped());
    let child = command.spawn().expect("the program starts");
    let top = r#"{"path": "/", "DATA": [
        {"name": "reset", "type": "dir"}, {"name": "cut", "type": "dir"},
        {"name": "silent", "type": "dir"}, {"name": "whole", "type": "dir"}
    ]}"#;
    let mut stream = service.answer().await;
    stream.write_all(top.as_bytes()).await.expect("sent");
    drop(stream);
    drop(service.request().await);
    let mut stream = service.request().await;
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"DATA\": [";
    stream.write_all(cut.as_bytes()).await.expect("sent");
    drop(stream);
    let silent = service.request().await;
    let mut stream = service.answer().await;
    let whole = format!("{{\"DATA\": [{}]}}", entry(0));
    stream.write_all(whole.as_bytes()).await.expect("sent");
    drop((stream, silent));

    let output = child.wait_with_output().await.expect("the program ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let lines: Vec<_> = stderr.lines().collect();
    let expected = [
        "listing of /reset/ broke off",
        "listing of /cut/ broke off",
        "listing of /silent/ in time",
    ];
    assert_eq!(lines.len(), expected.len(), "{stderr}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.contains(expected), "{line}");
    }
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a document");
    assert_eq!(document["length"], 5);
    let errors = document["errors"].as_array().expect("errors");
    let paths: Vec<_> = errors.iter().map(|error| &error["path"]).collect();
    assert_eq!(paths, ["/reset/", "/cut/", "/silent/"]);
}

#[checks::test(seconds = 600)]
async fn interrupt_ends_a_write_that_nobody_reads() {
    let service = Service::start().await;
    let mut child = service.ls(&[]).spawn().expect("the program starts");
    let mut stdout = child.stdout.take().expect("a pipe");
    let mut stream = service.answer().await;
    let begun = format!("{{\"DATA\": [{}", entry(0));
    stream.write_all(begun.as_bytes()).await.expect("sent");
    // The program writes. After this byte nobody reads.
    stdout.read_u8().await.expect("the first entry");
    for number in 1..ENTRIES {
        let entry = entry(number);
        let sent = stream.write_all(entry.as_bytes());
        // The program reads no more once it cannot write.
        let sent = tokio::time::timeout(Duration::from_secs(2), sent).await;
        if sent.is_err() {
            break;
        }
    }
    assert_eq!(interrupt(child).await, 130);
}

#[cfg(target_os = "linux")]
#[checks::test(seconds = 600)]
async fn full_disk_is_an_error_and_a_closed_pipe_is_none() {
    for (form, full, code) in [
        ("text", true, 1),
        ("json", true, 1),
        ("jsonl", true, 1),
        ("text", false, 0),
        ("json", false, 0),
    ] {
        let service = Service::start().await;
        let mut command = service.ls(&["--format", form]);
        command.stderr(Stdio::piped());
        if full {
            let full = std::fs::File::options().write(true).open("/dev/full");
            command.stdout(full.expect("/dev/full"));
        }
        let mut child = command.spawn().expect("the program starts");
        drop(child.stdout.take());
        let mut stream = service.answer().await;
        let whole = format!("{{\"DATA\": [{}]}}", entry(0));
        stream.write_all(whole.as_bytes()).await.expect("sent");
        drop(stream);
        let output = child.wait_with_output().await.expect("the program ends");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{form}: {stderr}");
        assert_eq!(
            stderr.contains("cannot be written"),
            full,
            "{form}: {stderr}"
        );
    }
}
