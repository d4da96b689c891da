//! Asking a web server that behaves badly in all the usual ways.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use plumb_registry::client::{Client, Patience, Problem, Request};
use plumb_registry::loopback::{Asked, Reply, Server};
use plumb_registry::{Authorization, DiscoveryError, FetchError, Hosts, Settings, Url};

fn patience() -> Patience {
    Patience {
        retries: 2,
        wait: Duration::from_millis(1),
        timeout: Duration::from_secs(5),
        stall: Duration::from_secs(5),
    }
}

fn client(server: &Server) -> Client {
    Client::trusting(patience(), std::fs::read(server.certificate()).unwrap())
}

fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn get(server: &Server, path: &str) -> Result<String, FetchError> {
    let request = Request::new(Url::parse(&server.url(path)).unwrap());
    let answer = wait(client(server).get(&request, 1000))?;
    Ok(String::from_utf8(answer.body).unwrap())
}

/// A server that fails some times before it answers.
fn failing(times: usize, failure: Reply) -> Server {
    let asked = AtomicUsize::new(0);
    Server::start(move |_| match asked.fetch_add(1, Ordering::SeqCst) < times {
        true => failure.clone(),
        false => Reply::file("done"),
    })
}

#[test]
fn what_may_pass_is_asked_again() {
    for failure in [
        Reply::status(503),
        Reply::status(429).with("Retry-After", "0"),
        Reply::status(500),
        Reply::file("much more").cut(3),
    ] {
        assert_eq!(get(&failing(2, failure.clone()), "/").as_deref(), Ok("done"), "{failure:?}");
        let server = failing(9, failure);
        let error = get(&server, "/").unwrap_err();
        assert_eq!((error.tries, server.asked().len()), (3, 3), "{error}");
    }
}

#[test]
fn what_does_not_pass_is_asked_once() {
    for status in [400, 401, 403, 404, 410] {
        let server = failing(1, Reply::status(status));
        assert_eq!(get(&server, "/").unwrap_err().problem, Problem::Status(status));
        assert_eq!(server.asked().len(), 1);
    }
}

#[test]
fn errors_name_the_address_without_secrets() {
    let server = Server::start(|_| Reply::status(404));
    let url =
        Url::parse(&server.url("/x?signature=secret").replace("https://", "https://me:secret@")).unwrap();
    let error = wait(client(&server).get(&Request::new(url), 10)).unwrap_err();
    assert_eq!(error.to_string(), format!("{}?… answered 404 Not Found", server.url("/x")));
}

#[test]
fn what_is_too_long_is_not_read_to_its_end() {
    let server = Server::start(|_| Reply::file(vec![b'x'; 100_000]));
    assert_eq!(get(&server, "/").unwrap_err().problem, Problem::TooLarge(1000));
}

#[test]
fn redirects_end() {
    let server = Server::start(|asked: &Asked| match asked.path.as_str() {
        "/circle" => Reply::redirect("/circle2"),
        "/circle2" => Reply::redirect("/circle"),
        "/plain" => Reply::redirect("http://localhost/"),
        "/once" => Reply::redirect("/there"),
        "/there" => Reply::file("there"),
        path => Reply::redirect(format!("{path}x")),
    });
    assert_eq!(get(&server, "/once").as_deref(), Ok("there"));
    for (path, wanted) in [("/circle", "in a circle"), ("/plain", "no HTTPS"), ("/long", "more than ten")] {
        let error = get(&server, path).unwrap_err();
        assert!(matches!(&error.problem, Problem::Redirects(why) if why.contains(wanted)), "{error}");
    }
}

#[test]
fn an_unknown_certificate_and_no_server_are_told_apart_from_answers() {
    let server = Server::start(|_| Reply::file("x"));
    let request = Request::new(Url::parse(&server.url("/")).unwrap());
    let stranger = Client::new(Patience { retries: 0, ..patience() });
    let error = wait(stranger.get(&request, 10)).unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    let nobody = Request::new(Url::parse("https://localhost:1/").unwrap());
    assert!(matches!(wait(stranger.get(&nobody, 10)).unwrap_err().problem, Problem::Unreachable(_)));
    let insecure = Request::new(Url::parse("http://localhost:1/").unwrap());
    assert_eq!(wait(stranger.get(&insecure, 10)).unwrap_err().problem, Problem::Insecure);
}

#[test]
fn a_token_stays_with_its_host() {
    let other = Server::start(|_| Reply::file("other"));
    let url = other.url("/other");
    let first = Server::start(move |_| Reply::redirect(url.clone()));
    let mut trusted = std::fs::read(first.certificate()).unwrap();
    trusted.extend(std::fs::read(other.certificate()).unwrap());
    let request = Request::new(Url::parse(&first.url("/")).unwrap())
        .authorized(Some(Authorization::Bearer("secret".into())));
    wait(Client::trusting(patience(), trusted).get(&request, 10)).unwrap();
    assert_eq!(first.asked()[0].header("authorization"), Some("Bearer secret"));
    assert_eq!(other.asked()[0].header("authorization"), None);
}

#[test]
fn a_download_starts_again_and_is_hashed() {
    let server = failing(1, Reply::file("a longer text that is wrong").cut(20));
    let mut file = tempfile::tempfile().unwrap();
    let request = Request::new(Url::parse(&server.url("/")).unwrap());
    let seen = std::sync::Mutex::new(Vec::new());
    let tell = |length, total| seen.lock().unwrap().push((length, total));
    let done = wait(client(&server).download(&request, &mut file, 100, &tell)).unwrap();
    // What `printf done | sha256sum` says.
    assert_eq!(done.sha256, "a4c3ed04a95a3da14a9d235c83d868bed7c0f45cf7f3faa751ee8f50598d2211");
    assert_eq!((done.length, content(&mut file).as_str()), (4, "done"));
    assert_eq!(seen.lock().unwrap().last(), Some(&(4, Some(4))));
    let error = wait(client(&server).download(&request, &mut file, 3, &|_, _| ())).unwrap_err();
    assert_eq!(error.problem, Problem::TooLarge(3));
}

fn content(file: &mut File) -> String {
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}

fn hosts(server: &Server, settings: &str) -> Hosts {
    let mut read = Settings::default();
    assert!(read.add(std::path::Path::new("rc"), settings).is_empty());
    Hosts::new(read, client(server))
}

#[test]
fn services_are_found_out_once() {
    let server =
        Server::start(|_| Reply::json(r#"{"a.v1": "/a", "b.v1": "https://b.example.com/x/", "c.v1": {}}"#));
    let hosts = hosts(&server, &format!("credentials \"{}\" {{ token = \"secret\" }}", server.host()));
    let service = |name: &str| wait(hosts.service(&server.host(), name)).map(|url| url.to_string());
    assert_eq!(service("a.v1"), Ok(server.url("/a/")));
    assert_eq!(service("b.v1").as_deref(), Ok("https://b.example.com/x/"));
    let missing = service("d.v1").unwrap_err();
    assert_eq!(
        missing.to_string(),
        format!("host {} does not offer the service d.v1, only a.v1, b.v1", server.host())
    );
    assert_eq!(server.paths(), ["/.well-known/terraform.json"]);
    assert_eq!(server.asked()[0].header("authorization"), Some("Bearer secret"));
}

#[test]
fn services_that_the_settings_name_are_not_asked_for() {
    let server = Server::start(|_| Reply::status(500));
    let hosts =
        hosts(&server, "host \"example.com\" { services = { \"a.v1\" = \"https://a.example.com/v1\" } }");
    let url = wait(hosts.service("example.com", "a.v1")).unwrap();
    assert_eq!(url.as_str(), "https://a.example.com/v1/");
}

#[test]
fn hosts_without_services_are_told_apart() {
    for (reply, wanted) in [
        (Reply::status(404), "does not offer the service a.v1, nor any other"),
        (Reply::json("{"), "no list of services"),
        (Reply::file("{}"), "application/octet-stream"),
        (Reply::json("[]"), "no list of services"),
        (Reply::status(500), "answered 500"),
    ] {
        let server = Server::start(move |_| reply.clone());
        let error: DiscoveryError = wait(hosts(&server, "").service(&server.host(), "a.v1")).unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
    }
}
