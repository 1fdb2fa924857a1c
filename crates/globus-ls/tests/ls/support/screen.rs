//! Runs a program at a pseudo-terminal.

use std::fmt::Display;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::num::NonZero;
use std::process::Stdio;
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// A program at a terminal: its keyboard and its output.
pub(crate) struct Screen {
    pub(crate) keyboard: File,
    pub(crate) shown: String,
    terminal: vt100::Parser,
    child: Child,
    pieces: UnboundedReceiver<Vec<u8>>,
    _reader: JoinHandle<()>,
}

impl Screen {
    /// Starts the program with all three streams at a new terminal.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::with_columns(command, 0)
    }

    /// As [`start`](Self::start), at a terminal that reports its width.
    pub(crate) fn with_columns(command: &mut Command, columns: u16) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&controller).expect("a terminal");
        unlockpt(&controller).expect("a terminal");
        let size = Winsize {
            ws_row: 24,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&controller, size).expect("a terminal");
        let name = ptsname(&controller, Vec::new())
            .expect("a terminal")
            .into_string()
            .expect("text");
        let terminal = || {
            OpenOptions::new()
                .read(true)
                .write(true)
                .open(&name)
                .expect("a terminal")
        };
        command
            .stdin(terminal())
            .stdout(terminal())
            .stderr(terminal());
        if !command.as_std().get_envs().any(|(name, _)| name == "TERM") {
            command.env("TERM", "xterm");
        }
        let child = command.spawn().expect("it starts");
        // The command holds the terminal open: without this the reader would see no end.
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let keyboard = File::from(controller);
        let size = |lines| NonZero::new(lines).expect("not zero");
        let (rows, columns) = (size(100), size(1000));
        let mut screen = keyboard.try_clone().expect("a terminal");
        let (sender, pieces) = unbounded_channel();
        let reader = std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = screen.read(&mut piece) {
                if sender.send(piece[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            keyboard,
            shown: String::new(),
            // Wide enough that no URL wraps.
            terminal: vt100::Parser::new(rows, columns, 0),
            child,
            pieces,
            _reader: reader,
        }
    }

    /// Types a line.
    pub(crate) fn enter(&mut self, line: impl Display) {
        writeln!(self.keyboard, "{line}").expect("typed");
    }

    pub(crate) fn interrupt(&self) {
        let id = self
            .child
            .id()
            .and_then(|id| Pid::from_raw(id.cast_signed()));
        kill_process(id.expect("it runs"), Signal::INT).expect("it runs");
    }

    /// Reads until `text` is shown, and returns all output so far.
    pub(crate) async fn wait_for(&mut self, text: &str) -> String {
        while !self.shown.contains(text) {
            assert!(self.read_on().await, "no {text:?} in {:?}", self.shown);
        }
        self.shown.clone()
    }

    /// Waits for the end of the program, checks its exit code, and returns all output.
    pub(crate) async fn ended(&mut self, code: i32) -> String {
        let status = self.child.wait().await.expect("it ends");
        while self.read_on().await {}
        assert_eq!(status.code(), Some(code), "{:?}", self.shown);
        self.shown.clone()
    }

    /// The screen that a person sees now.
    pub(crate) fn seen(&self) -> &vt100::Screen {
        self.terminal.screen()
    }

    /// Reads more output; `false` at its end.
    async fn read_on(&mut self) -> bool {
        let piece = tokio::time::timeout(Duration::from_secs(60), self.pieces.recv()).await;
        match piece.unwrap_or_else(|_| panic!("no output for 60 s after {:?}", self.shown)) {
            Some(piece) => {
                self.terminal.process(&piece);
                self.shown.push_str(&String::from_utf8_lossy(&piece));
                true
            }
            None => false,
        }
    }
}
