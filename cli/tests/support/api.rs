//! A small HTTP API that speaks JSON and keeps objects in memory: what `examples/contact-centre` is applied to.
//!
//! `POST /queues` makes an object and chooses its id; `GET /queues` lists; `GET`, `PUT`, `PATCH` and `DELETE` at
//! `/queues/ID` do what they say, and a `PUT` also makes what was not there. Whatever the first part of the path is,
//! it is a collection. Requests without the right bearer token get 401. One connection carries one request.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

/// A server that runs until the process ends.
#[derive(Clone)]
pub struct Api {
    address: SocketAddr,
    token: String,
    objects: Arc<Mutex<BTreeMap<String, Value>>>,
}

impl Api {
    /// Starts serving; port 0 is a free one.
    pub fn start(port: u16, token: &str) -> std::io::Result<Api> {
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        let organization = json!({ "id": "organization", "name": "Example", "time_zone": "Europe/Berlin" });
        let api = Api {
            address: listener.local_addr()?,
            token: token.to_owned(),
            objects: Arc::new(Mutex::new(BTreeMap::from([("/organization".to_owned(), organization)]))),
        };
        let serving = api.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let api = serving.clone();
                std::thread::spawn(move || api.serve(stream));
            }
        });
        Ok(api)
    }

    /// What paths are relative to.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All objects, by path.
    pub fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Value>> {
        self.objects.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut words = line.split_whitespace();
        let (method, target) =
            (words.next().unwrap_or("").to_owned(), words.next().unwrap_or("/").to_owned());
        let (mut length, mut authorized) = (0, false);
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((name, value)) = header.trim().split_once(':') else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or(0),
                "authorization" => authorized = value.trim() == format!("Bearer {}", self.token),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let path = target.split('?').next().unwrap_or("/").trim_end_matches('/');
        let (status, answer) = match (authorized, serde_json::from_slice(&body)) {
            (false, _) => ("401 Unauthorized", json!({ "message": "wrong token" })),
            (true, Err(error)) if length > 0 => ("400 Bad Request", json!({ "message": error.to_string() })),
            (true, body) => self.answer(&method, path, body.unwrap_or(Value::Null)),
        };
        let text = if answer.is_null() { String::new() } else { answer.to_string() };
        let mut stream = reader.into_inner();
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
            text.len()
        )
    }

    fn answer(&self, method: &str, path: &str, body: Value) -> (&'static str, Value) {
        let mut objects = self.objects();
        let is_collection = path.matches('/').count() == 1 && !objects.contains_key(path);
        let missing = ("404 Not Found", json!({ "message": format!("no {path}") }));
        match (method, is_collection) {
            ("GET", true) => {
                let within = format!("{path}/");
                let found = objects.iter().filter(|(path, _)| path.starts_with(&within));
                ("200 OK", found.map(|(_, object)| object.clone()).collect())
            }
            ("POST", true) => {
                let id = (1..)
                    .map(|n| format!("{}-{n}", &path[1..]))
                    .find(|id| !objects.contains_key(&format!("{path}/{id}")));
                let id = id.expect("numbers do not end");
                ("201 Created", put(&mut objects, format!("{path}/{id}"), &id, body))
            }
            ("PUT", false) => {
                let id = path.rsplit('/').next().unwrap_or("").to_owned();
                ("200 OK", put(&mut objects, path.to_owned(), &id, body))
            }
            ("PATCH", false) => match (objects.get_mut(path), body) {
                (Some(Value::Object(object)), Value::Object(changes)) => {
                    object.extend(changes);
                    ("200 OK", Value::Object(object.clone()))
                }
                _ => missing,
            },
            ("GET", false) => objects.get(path).map_or(missing, |object| ("200 OK", object.clone())),
            ("DELETE", false) => objects.remove(path).map_or(missing, |_| ("204 No Content", Value::Null)),
            _ => ("405 Method Not Allowed", json!({ "message": format!("{method} {path}") })),
        }
    }
}

fn put(objects: &mut BTreeMap<String, Value>, path: String, id: &str, mut body: Value) -> Value {
    if let Value::Object(fields) = &mut body {
        fields.insert("id".into(), id.into());
    }
    objects.insert(path, body.clone());
    body
}
