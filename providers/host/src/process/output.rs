//! Reads what plugins write.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use plumb_provider_protocol::client::Client;
use plumb_provider_protocol::messages::side::StdioChannel;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::sync::Notify;

use crate::log::{Level, Line, Log, Parser, is_panic};

/// Longer lines are read in pieces.
const LONGEST_LINE: u64 = 64 << 10;
/// How many lines are kept to be shown when the plugin fails, and how many of a crash in Go.
const KEPT: usize = 20;
const KEPT_OF_PANIC: usize = 40;
/// How much of each kept line is kept.
const KEPT_OF_LINE: usize = 500;

/// Lines of a stream, of limited length, with whatever is not UTF-8 replaced.
pub struct Lines<R> {
    reader: BufReader<R>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub fn new(stream: R) -> Lines<R> {
        Lines { reader: BufReader::new(stream) }
    }

    /// The next line without its line break; `None` at the end, and when the stream breaks.
    pub async fn next(&mut self) -> Option<String> {
        let mut line = Vec::new();
        let read = (&mut self.reader).take(LONGEST_LINE).read_until(b'\n', &mut line).await.ok()?;
        let text = String::from_utf8_lossy(&line);
        (read > 0).then(|| text.trim_end_matches(['\n', '\r']).to_owned())
    }
}

/// Reads and forgets.
pub async fn drain<R: AsyncRead + Unpin>(mut lines: Lines<R>) {
    let mut sink = tokio::io::sink();
    // A stream that breaks has ended.
    let _ = tokio::io::copy(&mut lines.reader, &mut sink).await;
}

/// Passes the lines of standard error on, and keeps the last ones.
pub async fn follow_stderr<R: AsyncRead + Unpin>(
    mut lines: Lines<R>,
    provider: String,
    log: Arc<dyn Log>,
    tail: Arc<Tail>,
) {
    let mut parser = Parser::default();
    while let Some(text) = lines.next().await {
        let line = parser.parse(&text);
        tail.push(&text, &line);
        log.line(&provider, line);
    }
    tail.close();
}

/// Passes on what the plugin prints through the connection, which plugins written in Go redirect their output to.
pub async fn follow_stdio(client: Client, provider: String, log: Arc<dyn Log>) {
    // Plugins without the service print nowhere.
    let Ok(mut stream) = client.stream_stdio().await else { return };
    while let Ok(Some(piece)) = stream.message().await {
        let module = match piece.channel() {
            StdioChannel::Stdout => "stdout",
            StdioChannel::Stderr => "stderr",
            StdioChannel::Invalid => continue,
        };
        for text in String::from_utf8_lossy(&piece.data).lines() {
            log.line(
                &provider,
                Line {
                    level: Level::Debug,
                    message: text.to_owned(),
                    module: module.to_owned(),
                    timestamp: String::new(),
                    details: Default::default(),
                },
            );
        }
    }
}

/// The last lines of a plugin, or the first ones of its crash.
#[derive(Default)]
pub struct Tail {
    state: Mutex<TailState>,
    closed: Notify,
}

#[derive(Default)]
struct TailState {
    lines: VecDeque<String>,
    panicked: bool,
    closed: bool,
}

impl Tail {
    fn state(&self) -> std::sync::MutexGuard<'_, TailState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, text: &str, line: &Line) {
        // Of what the plugin logs in detail only the serious lines tell why it failed.
        let plain = !text.starts_with('{');
        if !plain && line.level < Level::Warn {
            return;
        }
        let mut state = self.state();
        if !state.panicked && is_panic(text) {
            state.panicked = true;
            state.lines.clear();
        }
        if state.panicked && state.lines.len() >= KEPT_OF_PANIC {
            return;
        }
        if !state.panicked && state.lines.len() >= KEPT {
            state.lines.pop_front();
        }
        let message = &line.message;
        state.lines.push_back(message[..message.floor_char_boundary(KEPT_OF_LINE)].to_owned());
    }

    fn close(&self) {
        self.state().closed = true;
        self.closed.notify_waiters();
    }

    /// The lines kept so far.
    pub fn lines(&self) -> Vec<String> {
        self.state().lines.iter().cloned().collect()
    }

    /// Waits until the plugin can write no more.
    pub async fn complete(&self) {
        loop {
            let closed = self.closed.notified();
            if self.state().closed {
                return;
            }
            closed.await;
        }
    }
}
