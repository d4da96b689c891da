//! Objects of an HTTP API: a small real one on loopback.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use plumb_model::{Path, Type, Value};
use plumb_provider_builtin::lookup;
use plumb_provider_sdk::harness::{Harness, Object};
use serde_json::{Value as Json, json};
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpListener;

const KIND: &str = "rest_object";

/// A request that the server got.
#[derive(Clone, Debug)]
struct Seen {
    line: String,
    headers: BTreeMap<String, String>,
    body: String,
}

/// What the server does in place of its work.
#[derive(Clone)]
enum Whim {
    /// Answers this.
    Answer(u16, Vec<(&'static str, String)>, &'static str),
    /// Does its work, but hangs up without an answer.
    HangUp,
    /// Never answers.
    Silence,
}

/// A collection `/users` of objects that the server gives ids, times and nothing secret.
#[derive(Default)]
struct Api {
    objects: Mutex<BTreeMap<String, Json>>,
    seen: Mutex<Vec<Seen>>,
    whims: Mutex<VecDeque<Whim>>,
}

impl Api {
    async fn start() -> (Arc<Api>, String) {
        let api = Arc::new(Api::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = api.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(server.clone().serve(stream));
            }
        });
        (api, url)
    }

    async fn serve(self: Arc<Api>, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let mut stream = BufReader::new(stream);
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            match stream.read_line(&mut line).await {
                Ok(n) if n > 0 && line != "\r\n" => head.push(line.trim_end().to_owned()),
                Ok(n) if n > 0 => break,
                _ => return,
            }
        }
        let headers: BTreeMap<String, String> = head[1..]
            .iter()
            .filter_map(|line| line.split_once(": "))
            .map(|(k, v)| (k.to_lowercase(), v.to_owned()))
            .collect();
        let length = headers.get("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        let line = head[0].trim_end_matches(" HTTP/1.1").to_owned();
        let body = String::from_utf8(body).unwrap();
        self.seen.lock().unwrap().push(Seen {
            line: line.clone(),
            headers: headers.clone(),
            body: body.clone(),
        });

        let whim = self.whims.lock().unwrap().pop_front();
        let (status, more, text) = match whim {
            Some(Whim::Answer(status, more, text)) => (status, more, text.to_owned()),
            Some(Whim::HangUp) => {
                self.work(&line, &headers, &body);
                return;
            }
            Some(Whim::Silence) => return std::future::pending().await,
            None => {
                let (status, json) = self.work(&line, &headers, &body);
                (status, Vec::new(), if json.is_null() { String::new() } else { json.to_string() })
            }
        };
        let more: String = more.iter().map(|(k, v)| format!("{k}: {v}\r\n")).collect();
        let length = text.len();
        let answer = format!(
            "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n{more}\r\n{text}"
        );
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
    }

    fn work(&self, line: &str, headers: &BTreeMap<String, String>, body: &str) -> (u16, Json) {
        let (method, url) = line.split_once(' ').unwrap();
        let path = url.split('?').next().unwrap();
        let mut objects = self.objects.lock().unwrap();
        let json: Json = serde_json::from_str(body).unwrap_or(Json::Null);
        let with = |mut json: Json, id: &str| {
            json["id"] = id.into();
            json["changed"] = (objects.len() + 1).into();
            json
        };
        match (method, path.strip_prefix("/users/")) {
            ("POST", None) => {
                let key = headers.get("idempotency-key").cloned();
                let known =
                    key.as_ref().and_then(|key| objects.iter().find(|(_, o)| o["key"] == key.as_str()));
                if let Some((_, object)) = known {
                    return (200, object.clone());
                }
                let id = format!("u{}", objects.len() + 1);
                let mut object = with(json, &id);
                object["key"] = key.into();
                objects.insert(id, object.clone());
                (201, object)
            }
            ("GET", None) => {
                (200, json!({"total": objects.len(), "items": objects.values().collect::<Vec<_>>()}))
            }
            ("PUT", Some(id)) => {
                let object = with(json, id);
                objects.insert(id.to_owned(), object.clone());
                (200, object)
            }
            ("PATCH", Some(id)) => match objects.get_mut(id) {
                Some(object) => {
                    for (key, value) in json.as_object().unwrap() {
                        object[key] = value.clone();
                    }
                    (200, object.clone())
                }
                None => (404, Json::Null),
            },
            ("GET", Some(id)) => objects.get(id).map_or((404, Json::Null), |o| (200, o.clone())),
            ("DELETE", Some(id)) => (objects.remove(id).map_or(404, |_| 204), Json::Null),
            _ => (405, Json::Null),
        }
    }

    fn whim(&self, whim: Whim) {
        self.whims.lock().unwrap().push_back(whim);
    }

    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().unwrap()).into_iter().map(|seen| seen.line).collect()
    }

    fn alter(&self, id: &str, key: &str, value: Json) {
        self.objects.lock().unwrap().get_mut(id).unwrap()[key] = value;
    }
}

/// The same over TLS, for `localhost`, with a certificate of its own, which comes back as PEM.
async fn start_tls() -> (Arc<Api>, String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate =
        rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap().self_signed(&key).unwrap();
    let private = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let api = Arc::new(Api::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let server = api.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                tokio::spawn(server.clone().serve(stream));
            }
        }
    });
    (api, url, certificate.pem())
}

async fn setup(more: &[(&str, Value)]) -> (Arc<Api>, Harness) {
    let (api, url) = Api::start().await;
    let mut arguments = vec![("url", Value::from(url)), ("retry_wait", "1ms".into())];
    arguments.extend(more.iter().cloned());
    let harness = Harness::configured(lookup("rest").unwrap(), &arguments).await.unwrap();
    (api, harness)
}

fn user(name: &str) -> Value {
    Value::object([("name", Value::from(name)), ("roles", Value::tuple(vec!["agent".into()]))])
}

fn arguments(name: &str) -> Vec<(&'static str, Value)> {
    vec![("path", "/users".into()), ("data", user(name))]
}

fn map(key: &str, value: &str) -> Value {
    Value::map(Type::String, [(key.into(), value.into())])
}

fn texts(diagnostics: &plumb_model::Diagnostics) -> String {
    diagnostics.iter().map(|d| format!("{} {}\n", d.code, d.detail)).collect()
}

fn nothing_known(planned: &Value) -> Value {
    Value::object(planned.as_entries().unwrap().iter().map(|(name, value)| {
        (name.clone(), if value.is_known() { value.clone() } else { Value::Null(value.ty()) })
    }))
}

#[tokio::test]
async fn an_object_lives_and_dies() {
    let (api, harness) = setup(&[]).await;
    let object = harness.create(KIND, &arguments("ann")).await.unwrap();
    assert_eq!(object.text("id"), "u1");
    assert_eq!(object.get("output").get("name"), Some(&"ann".into()));
    assert_eq!(harness.read(&object).await.unwrap().unwrap(), object);
    assert!(harness.plan(KIND, Some(&object), &arguments("ann")).await.unwrap().is_no_op());
    let changed = harness.change(&object, &arguments("bob")).await.unwrap();
    harness.delete(&changed).await.unwrap();
    harness.delete(&changed).await.unwrap();
    assert_eq!(harness.read(&changed).await.unwrap(), None);
    assert_eq!(
        api.lines(),
        [
            "POST /users",
            "GET /users/u1",
            "GET /users/u1",
            "PUT /users/u1",
            "GET /users/u1",
            "DELETE /users/u1",
            "DELETE /users/u1",
            "GET /users/u1"
        ]
    );
}

#[tokio::test]
async fn only_written_keys_drift() {
    let (api, harness) = setup(&[]).await;
    let object = harness.create(KIND, &arguments("ann")).await.unwrap();
    api.alter("u1", "note", "someone's".into());
    let seen = harness.read(&object).await.unwrap().unwrap();
    assert_eq!(seen.get("data"), object.get("data"));
    assert!(harness.plan(KIND, Some(&seen), &arguments("ann")).await.unwrap().is_no_op());

    api.alter("u1", "name", "eve".into());
    let seen = harness.read(&seen).await.unwrap().unwrap();
    assert_eq!(seen.get("data").get("name"), Some(&"eve".into()));
    let mended = harness.change(&seen, &arguments("ann")).await.unwrap();
    assert_eq!(mended.get("output").get("name"), Some(&"ann".into()));
}

#[tokio::test]
async fn json_text_keeps_its_spelling() {
    let (api, harness) = setup(&[]).await;
    let text = [("path", "/users".into()), ("data", r#"{ "name": "ann", "limit": 1.0 }"#.into())];
    let object = harness.create(KIND, &text).await.unwrap();
    api.alter("u1", "limit", 1.into());
    let seen = harness.read(&object).await.unwrap().unwrap();
    assert!(harness.plan(KIND, Some(&seen), &text).await.unwrap().is_no_op());
    api.alter("u1", "limit", 2.into());
    let seen = harness.read(&object).await.unwrap().unwrap();
    assert_eq!(seen.text("data"), r#"{"limit":2,"name":"ann"}"#);
}

#[tokio::test]
async fn other_methods_and_paths() {
    let (api, harness) = setup(&[]).await;
    let put = vec![
        ("path", Value::from("/users")),
        ("object_id", "a b/c".into()),
        ("create_method", "PUT".into()),
        ("update_method", "PATCH".into()),
        ("query", map("force", "yes")),
        ("data", user("ann")),
    ];
    let forecast = harness.plan(KIND, None, &put).await.unwrap();
    assert!(!forecast.is_unknown("id"));
    let object = harness.apply(&forecast).await.0.unwrap();
    let mut other = put.clone();
    other[5].1 = user("bob");
    harness.change(&object, &other).await.unwrap();
    assert_eq!(
        api.lines(),
        [
            "PUT /users/a%20b%2Fc?force=yes",
            "GET /users/a%20b%2Fc?force=yes",
            "PATCH /users/a%20b%2Fc?force=yes",
            "GET /users/a%20b%2Fc?force=yes"
        ]
    );
}

#[tokio::test]
async fn trouble_is_waited_out() {
    let (api, harness) = setup(&[]).await;
    let soon = vec![("retry-after", "0".to_owned())];
    api.whim(Whim::Answer(429, soon.clone(), ""));
    api.whim(Whim::Answer(503, Vec::new(), "busy"));
    api.whim(Whim::Answer(500, Vec::new(), ""));
    let object = harness.create(KIND, &arguments("ann")).await.unwrap();
    assert_eq!(api.lines().len(), 5);
    api.whim(Whim::HangUp);
    api.whim(Whim::Answer(502, vec![("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT".into())], ""));
    harness.read(&object).await.unwrap().unwrap();
    assert_eq!(api.lines().len(), 3);
}

#[tokio::test]
async fn patience_ends() {
    let (api, harness) = setup(&[("retries", Value::int(2))]).await;
    for _ in 0..3 {
        api.whim(Whim::Answer(503, Vec::new(), "out of order"));
    }
    let error = harness.create(KIND, &arguments("ann")).await.unwrap_err();
    assert!(texts(&error).contains("503") && texts(&error).contains("out of order"));
    assert_eq!(api.lines().len(), 3);
    api.whim(Whim::Answer(429, vec![("retry-after", "86400".into())], ""));
    assert!(harness.create(KIND, &arguments("ann")).await.is_err());
    assert_eq!(api.lines().len(), 1);
}

#[tokio::test]
async fn a_creation_without_an_answer_is_not_repeated_unless_the_server_knows_it() {
    let (api, harness) = setup(&[]).await;
    api.whim(Whim::HangUp);
    let error = harness.create(KIND, &arguments("ann")).await.unwrap_err();
    assert!(texts(&error).contains("it is not known whether the server has done it"));
    assert_eq!((api.lines().len(), api.objects.lock().unwrap().len()), (1, 1));

    api.whim(Whim::HangUp);
    let safe = [arguments("bob"), vec![("idempotency_header", "Idempotency-Key".into())]].concat();
    let object = harness.create(KIND, &safe).await.unwrap();
    assert_eq!(object.text("id"), "u2");
    assert_eq!((api.lines().len(), api.objects.lock().unwrap().len()), (3, 2));
}

#[tokio::test]
async fn an_interrupted_creation_is_found() {
    let (_api, harness) = setup(&[]).await;
    for (more, found) in [(vec![("find_by", Value::from("name"))], true), (vec![], false)] {
        let arguments = [arguments(if found { "ann" } else { "bob" }), more].concat();
        let forecast = harness.plan(KIND, None, &arguments).await.unwrap();
        let planned = Object {
            kind: KIND.into(),
            state: nothing_known(&forecast.planned),
            private: forecast.private.clone(),
            identity: None,
        };
        assert_eq!(harness.read(&planned).await.unwrap(), None);
        let created = harness.apply(&forecast).await.0.unwrap();
        let seen = harness.read(&planned).await.unwrap();
        assert_eq!(seen.map(|o| o.state), found.then_some(created.state));
    }
}

#[tokio::test]
async fn a_silent_server_is_left() {
    let (api, harness) = setup(&[("timeout", "100ms".into()), ("retries", Value::int(1))]).await;
    let object = harness.create(KIND, &arguments("ann")).await.unwrap();
    api.whim(Whim::Silence);
    api.whim(Whim::Silence);
    let error = harness.read(&object).await.unwrap_err();
    assert!(texts(&error).contains("there was no answer in time; tried 2 times"), "{error:?}");
}

#[tokio::test]
async fn stopping_ends_a_request() {
    let (api, harness) = setup(&[]).await;
    api.whim(Whim::Silence);
    let harness = Arc::new(harness);
    let task = {
        let harness = harness.clone();
        tokio::spawn(async move { harness.create(KIND, &arguments("ann")).await })
    };
    while api.seen.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    harness.provider().stop().await;
    assert!(texts(&task.await.unwrap().unwrap_err()).contains("asked to stop"));
}

#[tokio::test]
async fn secrets_reach_neither_state_nor_messages() {
    let (api, harness) =
        setup(&[("bearer_token", "t0k3n".into()), ("sensitive_headers", map("X-Api-Key", "k3y"))]).await;
    let secret = |version| {
        let password = Value::object([("password", Value::from("hush!"))]);
        [arguments("ann"), vec![("secret_data", password), ("secret_data_version", Value::int(version))]]
            .concat()
    };
    let object = harness.create(KIND, &secret(1)).await.unwrap();
    let first = api.seen.lock().unwrap()[0].clone();
    assert_eq!(first.headers["authorization"], "Bearer t0k3n");
    assert_eq!(first.headers["x-api-key"], "k3y");
    assert!(first.body.contains("hush!"));
    let seen = harness.read(&object).await.unwrap().unwrap();
    for object in [&object, &seen] {
        let kept = format!("{:?} {:?}", object.state, object.private);
        assert!(["t0k3n", "k3y", "hush!"].iter().all(|secret| !kept.contains(secret)), "{kept}");
    }
    assert!(harness.plan(KIND, Some(&seen), &secret(1)).await.unwrap().is_no_op());
    api.lines();
    harness.change(&seen, &secret(2)).await.unwrap();
    assert_eq!(api.lines(), ["PUT /users/u1", "GET /users/u1"]);

    api.whim(Whim::Answer(400, Vec::new(), "bad password hush! for t0k3n with k3y"));
    let error = texts(&harness.create(KIND, &secret(1)).await.unwrap_err());
    assert!(error.contains("bad password (sensitive)"), "{error}");
    assert!(["t0k3n", "k3y", "hush!"].iter().all(|secret| !error.contains(secret)), "{error}");
}

#[tokio::test]
async fn credentials_stay_with_their_server() {
    let (other, elsewhere) = Api::start().await;
    let (api, harness) = setup(&[("sensitive_headers", map("X-Api-Key", "k3y"))]).await;
    api.whim(Whim::Answer(307, vec![("location", format!("{elsewhere}/users"))], ""));
    assert!(harness.create(KIND, &arguments("ann")).await.is_err());
    let whole = [("path", format!("{elsewhere}/users").into()), ("data", user("ann"))];
    assert!(harness.create(KIND, &whole).await.is_err());
    assert!(other.lines().is_empty());
}

#[tokio::test]
async fn ids_are_found_where_they_are() {
    let (api, harness) = setup(&[]).await;
    let located = vec![("location", "/users/u1".to_owned())];
    let created = [arguments("ann"), vec![("id_attribute", "meta.uid".into())]].concat();
    api.objects.lock().unwrap().insert("u1".into(), json!({"name": "ann", "roles": ["agent"]}));
    api.whim(Whim::Answer(201, located, ""));
    assert_eq!(harness.create(KIND, &created).await.unwrap().text("id"), "u1");
    api.whim(Whim::Answer(201, Vec::new(), r#"{"meta": {"uid": 7}}"#));
    assert_eq!(harness.create(KIND, &created).await.unwrap().text("id"), "7");
    api.whim(Whim::Answer(201, Vec::new(), r#"{"uid": 7}"#));
    assert!(texts(&harness.create(KIND, &created).await.unwrap_err()).contains("no-id"));
}

#[tokio::test]
async fn output_leaves_out_what_only_changes() {
    let (api, harness) = setup(&[]).await;
    let ignore = Value::list(Type::String, vec!["changed".into()]);
    let quiet = [arguments("ann"), vec![("ignore_output", ignore)]].concat();
    let object = harness.create(KIND, &quiet).await.unwrap();
    assert_eq!(object.get("output").get("changed"), None);
    api.alter("u1", "changed", 99.into());
    assert_eq!(harness.read(&object).await.unwrap().unwrap(), object);
}

#[tokio::test]
async fn immutable_fields_replace() {
    let (_api, harness) = setup(&[]).await;
    let immutable = Value::list(Type::String, vec!["name".into()]);
    let fixed = |name| [arguments(name), vec![("immutable", immutable.clone())]].concat();
    let object = harness.create(KIND, &fixed("ann")).await.unwrap();
    let forecast = harness.plan(KIND, Some(&object), &fixed("bob")).await.unwrap();
    assert_eq!(forecast.requires_replace, [Path::of("data")]);
    let mut roles = fixed("ann");
    roles[1].1 = Value::object([("name", Value::from("ann")), ("roles", Value::tuple(vec![]))]);
    assert!(!harness.plan(KIND, Some(&object), &roles).await.unwrap().is_replacement());
}

#[tokio::test]
async fn an_object_is_imported() {
    let (api, harness) = setup(&[]).await;
    api.objects.lock().unwrap().insert("7".into(), json!({"name": "ann"}));
    let object = harness.import(KIND, "/users/7").await.unwrap();
    assert_eq!((object.text("path"), object.text("id")), ("/users", "7"));
    assert_eq!(object.get("data").get("name"), Some(&"ann".into()));
    assert!(!harness.plan(KIND, Some(&object), &arguments("ann")).await.unwrap().is_replacement());
    assert!(harness.import(KIND, "/users/8").await.is_err());
    assert!(harness.import(KIND, "7").await.is_err());
}

#[tokio::test]
async fn an_object_that_vanished_during_its_update_is_told() {
    let (api, harness) = setup(&[]).await;
    let object = harness.create(KIND, &arguments("ann")).await.unwrap();
    let patch = [arguments("bob"), vec![("update_method", "PATCH".into())]].concat();
    api.objects.lock().unwrap().clear();
    let error = harness.change(&object, &patch).await.unwrap_err();
    assert!(texts(&error).contains("404"));
}

#[tokio::test]
async fn the_data_source_gets() {
    let (api, harness) = setup(&[]).await;
    api.objects.lock().unwrap().insert("7".into(), json!({"name": "ann", "n": [1.5]}));
    let data = harness.data(KIND, &[("path", "/users/7".into()), ("select", "n.0".into())]).await.unwrap();
    assert_eq!(data.get("output"), Some(&Value::Number(plumb_model::Number::parse("1.5").unwrap())));
    let hidden = [("path", "/users/7".into()), ("sensitive", true.into())];
    let data = harness.data(KIND, &hidden).await.unwrap();
    assert!(data.get("output").unwrap().is_null());
    assert_eq!(data.get("sensitive_output").unwrap().get("name"), Some(&"ann".into()));
    assert!(harness.data(KIND, &[("path", "/users/8".into())]).await.is_err());
    api.whim(Whim::Answer(200, Vec::new(), "<html>"));
    let error = harness.data(KIND, &[("path", "/users/7".into())]).await.unwrap_err();
    assert!(texts(&error).contains("not JSON"));
}

#[tokio::test]
async fn mistakes_are_told() {
    let rest = || lookup("rest").unwrap();
    for arguments in [
        vec![("url", "example.com".into())],
        vec![("url", "ftp://example.com".into())],
        vec![("timeout", "soon".into())],
        vec![("bearer_token", "a".into()), ("username", "b".into())],
        vec![("headers", map("bad header", "x"))],
        vec![("sensitive_headers", map("X", "line\nbreak"))],
        vec![("ca_certificate", "none".into())],
        vec![("client_key", "none".into())],
        vec![("bearer_token_env", "PLUMB_TEST_NO_SUCH_VARIABLE".into())],
    ] {
        assert!(Harness::configured(rest(), &arguments).await.is_err(), "{arguments:?}");
    }
    let harness = Harness::new(rest()).await.unwrap();
    for arguments in [
        vec![("path", "/a".into()), ("data", Value::int(1))],
        vec![("path", "/a".into()), ("data", "{".into())],
        vec![("path", "/a".into()), ("data", user("a")), ("update_method", "PSOT".into())],
        vec![("path", "/a".into()), ("data", user("a")), ("create_method", "PUT".into())],
    ] {
        assert!(harness.validate(KIND, &arguments).await.unwrap().has_errors(), "{arguments:?}");
    }
    assert!(harness.create(KIND, &arguments("a")).await.is_err(), "there is no server to ask");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let config = [("url", Value::from(url)), ("retry_wait", "1ms".into()), ("retries", Value::int(2))];
    let harness = Harness::configured(lookup("rest").unwrap(), &config).await.unwrap();
    let error = harness.create(KIND, &arguments("ann")).await.unwrap_err();
    assert!(texts(&error).contains("tried 3 times"), "{error:?}");
}

#[tokio::test]
async fn a_server_is_believed_if_its_certificate_is() {
    let (api, url, pem) = start_tls().await;
    for (more, believed) in [
        (vec![], false),
        (vec![("ca_certificate", Value::from(pem))], true),
        (vec![("insecure", Value::Bool(true))], true),
    ] {
        let base = vec![("url", Value::from(url.as_str())), ("retries", Value::int(0))];
        let harness =
            Harness::configured(lookup("rest").unwrap(), &[base, more.clone()].concat()).await.unwrap();
        let made = harness.create(KIND, &arguments("ann")).await;
        assert_eq!(made.is_ok(), believed, "{more:?} {made:?}");
    }
    assert_eq!(api.objects.lock().unwrap().len(), 2);
}
