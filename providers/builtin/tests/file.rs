//! Files, on a real disk.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use plumb_model::Value;
use plumb_provider_builtin::lookup;
use plumb_provider_sdk::harness::{Harness, Object};

const KIND: &str = "file";

struct Place {
    harness: Harness,
    dir: tempfile::TempDir,
}

impl Place {
    async fn new() -> Place {
        let harness = Harness::new(lookup("file").unwrap()).await.unwrap();
        Place { harness, dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn arg(&self, name: &str) -> (&'static str, Value) {
        ("path", Value::from(self.path(name).to_str().unwrap()))
    }

    async fn create(&self, name: &str, content: &str) -> Object {
        self.harness.create(KIND, &[self.arg(name), ("content", content.into())]).await.unwrap()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Everything below the directory, sorted.
    fn listing(&self) -> Vec<String> {
        fn walk(dir: &std::path::Path, prefix: &str, found: &mut Vec<String>) {
            for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
                let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
                if entry.path().is_dir() {
                    walk(&entry.path(), &format!("{name}/"), found);
                }
                found.push(name);
            }
        }
        let mut found = Vec::new();
        walk(self.dir.path(), "", &mut found);
        found.sort();
        found
    }
}

fn code(diagnostics: plumb_model::Diagnostics) -> &'static str {
    diagnostics.iter().find(|d| d.is_error()).map_or("", |d| d.code)
}

#[tokio::test]
async fn a_file_lives_and_dies() {
    let place = Place::new().await;
    let forecast =
        place.harness.plan(KIND, None, &[place.arg("a.txt"), ("content", "hello".into())]).await.unwrap();
    assert!(forecast.planned.is_wholly_known(), "everything about a known content is known: {forecast:?}");

    let file = place.create("a.txt", "hello").await;
    assert_eq!(place.text("a.txt"), "hello");
    assert_eq!(file.text("sha256"), "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    assert_eq!(fs::metadata(place.path("a.txt")).unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(place.harness.read(&file).await.unwrap().unwrap(), file);

    let arguments = [place.arg("a.txt"), ("content", "bye".into()), ("mode", "600".into())];
    let file = place.harness.change(&file, &arguments).await.unwrap();
    assert_eq!(place.text("a.txt"), "bye");
    assert_eq!(fs::metadata(place.path("a.txt")).unwrap().permissions().mode() & 0o777, 0o600);
    let seen = place.harness.read(&file).await.unwrap().unwrap();
    assert_eq!(seen, file, "the mode keeps its spelling");

    place.harness.delete(&file).await.unwrap();
    place.harness.delete(&file).await.unwrap();
    assert!(place.listing().is_empty());
}

#[tokio::test]
async fn drift_is_seen_and_mended() {
    let place = Place::new().await;
    let file = place.create("a", "wanted").await;
    let arguments = [place.arg("a"), ("content", "wanted".into())];

    fs::write(place.path("a"), "altered").unwrap();
    let seen = place.harness.read(&file).await.unwrap().unwrap();
    assert_eq!(seen.text("content"), "altered");
    let mended = place.harness.change(&seen, &arguments).await.unwrap();
    assert_eq!((mended.state, place.text("a").as_str()), (file.state.clone(), "wanted"));

    fs::write(place.path("a"), b"\xff\xfe").unwrap();
    let seen = place.harness.read(&file).await.unwrap().unwrap();
    assert!(seen.get("content").is_null());
    place.harness.change(&seen, &arguments).await.unwrap();

    fs::set_permissions(place.path("a"), fs::Permissions::from_mode(0o600)).unwrap();
    let seen = place.harness.read(&file).await.unwrap().unwrap();
    assert_eq!(seen.text("mode"), "0600");
    assert!(!place.harness.plan(KIND, Some(&seen), &arguments).await.unwrap().is_no_op());
    assert_eq!(place.harness.change(&seen, &arguments).await.unwrap().text("mode"), "0644");

    fs::remove_file(place.path("a")).unwrap();
    assert_eq!(place.harness.read(&file).await.unwrap(), None);
}

#[tokio::test]
async fn directories_that_were_made_go_with_the_last_file() {
    let place = Place::new().await;
    fs::create_dir(place.path("mine")).unwrap();
    // Both are planned before either exists.
    let arguments = |name| [place.arg(name), ("content", Value::from("x"))];
    let one = place.harness.plan(KIND, None, &arguments("mine/a/b/one")).await.unwrap();
    let two = place.harness.plan(KIND, None, &arguments("mine/a/two")).await.unwrap();
    let one = place.harness.apply(&one).await.0.unwrap();
    let two = place.harness.apply(&two).await.0.unwrap();

    place.harness.delete(&two).await.unwrap();
    assert_eq!(place.listing(), ["mine", "mine/a", "mine/a/b", "mine/a/b/one"]);
    let one = place.harness.read(&one).await.unwrap().unwrap();
    place.harness.delete(&one).await.unwrap();
    assert_eq!(place.listing(), ["mine"]);
}

#[tokio::test]
async fn a_directory_with_something_foreign_in_it_stays() {
    let place = Place::new().await;
    let file = place.create("a/b/file", "x").await;
    fs::write(place.path("a/foreign"), "x").unwrap();
    place.harness.delete(&file).await.unwrap();
    assert_eq!(place.listing(), ["a", "a/foreign"]);
}

#[tokio::test]
async fn another_path_is_another_file_and_takes_its_directories_along() {
    let place = Place::new().await;
    let file = place.create("old/a", "x").await;
    let arguments = [place.arg("new/a"), ("content", "x".into())];
    let forecast = place.harness.plan(KIND, Some(&file), &arguments).await.unwrap();
    assert_eq!(forecast.requires_replace, [plumb_model::Path::of("path")]);
    let file = place.harness.change(&file, &arguments).await.unwrap();
    assert_eq!(place.listing(), ["new", "new/a"]);
    place.harness.delete(&file).await.unwrap();
    assert!(place.listing().is_empty());
}

#[tokio::test]
async fn a_foreign_file_is_never_overwritten_unasked() {
    let place = Place::new().await;
    fs::write(place.path("a"), "foreign").unwrap();
    let arguments = vec![place.arg("a"), ("content", Value::from("ours"))];
    let error = place.harness.create(KIND, &arguments).await.unwrap_err();
    assert_eq!(code(error), "file-exists");
    assert_eq!(place.text("a"), "foreign");
    assert_eq!(place.listing(), ["a"]);

    let asked = [arguments.clone(), vec![("overwrite", Value::Bool(true))]].concat();
    place.harness.create(KIND, &asked).await.unwrap();
    assert_eq!(place.text("a"), "ours");
}

#[tokio::test]
async fn an_interrupted_creation_is_resumed() {
    let place = Place::new().await;
    let arguments = [place.arg("d/a"), ("content", "x".into())];
    let forecast = place.harness.plan(KIND, None, &arguments).await.unwrap();
    let planned = Object {
        kind: KIND.into(),
        state: forecast.planned.clone(),
        private: forecast.private.clone(),
        identity: None,
    };
    assert_eq!(place.harness.read(&planned).await.unwrap(), None, "nothing was written yet");

    // Killed while writing: the directory and a part of the file under its temporary name.
    fs::create_dir(place.path("d")).unwrap();
    fs::write(place.path("d/.a.plumb-tmp"), "half").unwrap();
    assert_eq!(place.harness.read(&planned).await.unwrap(), None);
    place.harness.apply(&forecast).await.0.unwrap();
    assert_eq!(place.listing(), ["d", "d/a"]);

    // Killed after writing: it is found, or adopted by creating again; its directory is still its own.
    let found = place.harness.read(&planned).await.unwrap().unwrap();
    let (again, diagnostics) = place.harness.apply(&forecast).await;
    assert!(!diagnostics.has_errors());
    assert_eq!(again.unwrap().state, found.state);
    place.harness.delete(&found).await.unwrap();
    assert!(place.listing().is_empty());
}

#[tokio::test]
async fn what_was_there_before_an_interrupted_creation_is_not_taken_for_it() {
    let place = Place::new().await;
    fs::write(place.path("a"), "foreign").unwrap();
    let arguments = [place.arg("a"), ("content", "ours".into())];
    let forecast = place.harness.plan(KIND, None, &arguments).await.unwrap();
    let planned =
        Object { kind: KIND.into(), state: forecast.planned, private: forecast.private, identity: None };
    assert_eq!(place.harness.read(&planned).await.unwrap(), None);
}

#[tokio::test]
async fn other_kinds_of_content() {
    let place = Place::new().await;
    let bytes = [place.arg("bytes"), ("content_base64", "/wA=".into())];
    let file = place.harness.create(KIND, &bytes).await.unwrap();
    assert_eq!(fs::read(place.path("bytes")).unwrap(), [255, 0]);
    assert_eq!(place.harness.read(&file).await.unwrap().unwrap(), file);

    let secret = [place.arg("secret"), ("sensitive_content", "s3cret".into()), ("mode", "0600".into())];
    let file = place.harness.create(KIND, &secret).await.unwrap();
    assert!(file.get("sha256").is_null(), "a digest would give a short secret away");
    assert_eq!(place.harness.read(&file).await.unwrap().unwrap(), file);
    fs::write(place.path("secret"), "other").unwrap();
    assert_eq!(place.harness.read(&file).await.unwrap().unwrap().text("sensitive_content"), "other");

    fs::write(place.path("source"), "one").unwrap();
    let source = Value::from(place.path("source").to_str().unwrap());
    let copy = [place.arg("copy"), ("source", source)];
    let file = place.harness.create(KIND, &copy).await.unwrap();
    assert_eq!(place.text("copy"), "one");
    assert!(place.harness.plan(KIND, Some(&file), &copy).await.unwrap().is_no_op());
    fs::write(place.path("source"), "two").unwrap();
    let forecast = place.harness.plan(KIND, Some(&file), &copy).await.unwrap();
    fs::write(place.path("source"), "three").unwrap();
    let (_, diagnostics) = place.harness.apply(&forecast).await;
    assert_eq!(code(diagnostics), "source-changed");
    assert_eq!(place.text("copy"), "one");
    place.harness.change(&file, &copy).await.unwrap();
    assert_eq!(place.text("copy"), "three");
}

#[tokio::test]
async fn a_file_is_imported_by_path() {
    let place = Place::new().await;
    fs::write(place.path("a"), "x").unwrap();
    fs::set_permissions(place.path("a"), fs::Permissions::from_mode(0o644)).unwrap();
    let file = place.harness.import(KIND, place.path("a").to_str().unwrap()).await.unwrap();
    let arguments = [place.arg("a"), ("content", "x".into())];
    assert!(place.harness.plan(KIND, Some(&file), &arguments).await.unwrap().is_no_op());
    assert!(place.harness.import(KIND, place.path("b").to_str().unwrap()).await.is_err());
}

#[tokio::test]
async fn mistakes_are_told_with_their_attribute() {
    let place = Place::new().await;
    let content = ("content", Value::from("x"));
    for (arguments, attribute) in [
        (vec![place.arg("a")], None),
        (vec![place.arg("a"), content.clone(), ("source", "y".into())], Some("source")),
        (vec![place.arg("a"), ("content_base64", "%".into())], Some("content_base64")),
        (vec![place.arg("a"), content.clone(), ("mode", "rw".into())], Some("mode")),
        (vec![place.arg("a"), content.clone(), ("mode", "+755".into())], Some("mode")),
        (vec![("path", "".into()), content.clone()], Some("path")),
    ] {
        let found = place.harness.validate(KIND, &arguments).await.unwrap();
        assert!(found.has_errors(), "{arguments:?}");
        assert_eq!(found.iter().next().unwrap().attribute, attribute.map(plumb_model::Path::of));
    }
    fs::create_dir(place.path("dir")).unwrap();
    let error = place.harness.create(KIND, &[place.arg("dir"), content.clone()]).await.unwrap_err();
    assert_eq!(code(error), "not-a-file");
    fs::write(place.path("plain"), "").unwrap();
    let error = place.harness.create(KIND, &[place.arg("plain/a"), content]).await.unwrap_err();
    assert_eq!(code(error), "file-system");
}

#[tokio::test]
async fn the_data_source_reads() {
    let place = Place::new().await;
    fs::write(place.path("a"), "x").unwrap();
    let data = place.harness.data(KIND, &[place.arg("a")]).await.unwrap();
    assert_eq!(data.get("content"), Some(&Value::from("x")));
    assert_eq!(data.get("content_base64"), Some(&Value::from("eA==")));
    let hidden = [place.arg("a"), ("sensitive", Value::Bool(true))];
    let data = place.harness.data(KIND, &hidden).await.unwrap();
    assert_eq!(data.get("sensitive_content"), Some(&Value::from("x")));
    assert!(data.get("content").unwrap().is_null() && data.get("sha256").unwrap().is_null());
    assert_eq!(code(place.harness.data(KIND, &[place.arg("b")]).await.unwrap_err()), "file-missing");
}
