//! The service: it speaks JSON over HTTP and keeps its items in memory, so that tests can look into it and change things
//! behind everybody's back.
//!
//! `POST /items` makes an item and chooses its id; `GET /items` lists; `GET`, `PUT` and `DELETE` at `/items/ID` do what
//! they say. `POST /tokens` issues a token, `DELETE /tokens/ID` revokes it. `POST /stocktakes` keeps a note. Requests without the right bearer token get
//! 401. One connection carries one request.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};

/// The largest request body that is read, in bytes.
const LARGEST_BODY: u64 = 1 << 20;

/// A service that runs until the process ends.
#[derive(Clone)]
pub struct Service {
    address: SocketAddr,
    token: String,
    inside: Arc<Mutex<Inside>>,
}

/// What the service knows.
#[derive(Debug, Default)]
pub struct Inside {
    /// The items by id.
    pub items: BTreeMap<String, Map<String, Value>>,
    /// The access codes that were given for items. They are never shown.
    pub access_codes: BTreeMap<String, String>,
    /// What was noted of counts of all items.
    pub stocktakes: Vec<Map<String, Value>>,
    /// The tokens that are good, by id.
    pub tokens: BTreeMap<String, String>,
    /// How many things were made so far; ids are numbers that are not used again.
    made: u64,
}

type Answer = (u16, Value);

impl Service {
    /// Starts serving; port 0 is a free one.
    ///
    /// # Errors
    /// If the port cannot be listened on.
    pub fn start(port: u16, token: &str) -> io::Result<Service> {
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        let service =
            Service { address: listener.local_addr()?, token: token.to_owned(), inside: Arc::default() };
        let serving = service.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let service = serving.clone();
                std::thread::spawn(move || service.serve(stream));
            }
        });
        Ok(service)
    }

    /// What paths are relative to.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it knows, to look at and to change.
    pub fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut words = line.split_whitespace();
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (mut length, mut known) = (0, false);
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((name, value)) = header.trim().split_once(':') else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or(0),
                "authorization" => known = value.trim() == format!("Bearer {}", self.token),
                _ => {}
            }
        }
        let mut body = Vec::new();
        reader.by_ref().take(length.min(LARGEST_BODY)).read_to_end(&mut body)?;
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (status, answer) = match (known, serde_json::from_slice(&body)) {
            (false, _) => problem(401, "wrong token"),
            (true, Err(error)) if !body.is_empty() => problem(400, &error.to_string()),
            (true, body) => self.answer(method, &parts, body.unwrap_or_default()),
        };
        let text = if answer.is_null() { String::new() } else { answer.to_string() };
        write!(
            reader.into_inner(),
            "HTTP/1.1 {status} \r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
            text.len()
        )
    }

    fn answer(&self, method: &str, path: &[&str], body: Map<String, Value>) -> Answer {
        let mut inside = self.inside();
        match (method, path) {
            ("GET", ["items"]) => (200, inside.items.values().cloned().map(Value::Object).collect()),
            ("POST", ["stocktakes"]) => {
                inside.stocktakes.push(body);
                (204, Value::Null)
            }
            ("POST", ["items"]) => {
                let id = inside.number("item");
                (201, inside.write(&id, body))
            }
            ("PUT", ["items", id]) if inside.items.contains_key(*id) => (200, inside.write(id, body)),
            ("GET", ["items", id]) => match inside.items.get(*id) {
                Some(item) => (200, Value::Object(item.clone())),
                None => problem(404, "no such item"),
            },
            ("DELETE", ["items", id]) => {
                inside.access_codes.remove(*id);
                match inside.items.remove(*id) {
                    Some(_) => (204, Value::Null),
                    None => problem(404, "no such item"),
                }
            }
            ("POST", ["tokens"]) => {
                let id = inside.number("token");
                let scope = body.get("scope").and_then(Value::as_str).unwrap_or("read");
                let value = format!("{scope}-secret-{id}");
                inside.tokens.insert(id.clone(), value.clone());
                (201, json!({ "id": id, "value": value }))
            }
            ("DELETE", ["tokens", id]) => match inside.tokens.remove(*id) {
                Some(_) => (204, Value::Null),
                None => problem(404, "no such token"),
            },
            _ => problem(404, "nothing is here"),
        }
    }
}

impl Inside {
    fn number(&mut self, what: &str) -> String {
        self.made += 1;
        format!("{what}-{}", self.made)
    }

    /// Keeps an item, with what the service chooses.
    fn write(&mut self, id: &str, mut item: Map<String, Value>) -> Value {
        if let Some(Value::String(code)) = item.remove("access_code") {
            self.access_codes.insert(id.to_owned(), code);
        }
        let revision = self.items.get(id).and_then(|item| item.get("revision")?.as_i64()).unwrap_or(0);
        item.insert("id".into(), id.into());
        item.insert("revision".into(), (revision + 1).into());
        for (i, bin) in item.get_mut("bins").and_then(Value::as_array_mut).into_iter().flatten().enumerate() {
            if bin["code"].as_str().is_none_or(str::is_empty) {
                bin["code"] = format!("{id}/{}", i + 1).into();
            }
        }
        self.items.insert(id.to_owned(), item.clone());
        Value::Object(item)
    }
}

fn problem(status: u16, message: &str) -> Answer {
    (status, json!({ "message": message }))
}
