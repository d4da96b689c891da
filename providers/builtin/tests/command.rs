//! Commands, run for real.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use plumb_model::{Type, Value};
use plumb_provider_builtin::{lookup, lookup_in};
use plumb_provider_sdk::harness::{Forecast, Harness, Object};

const KIND: &str = "command";

fn list(parts: &[&str]) -> Value {
    Value::list(Type::String, parts.iter().map(|p| Value::from(*p)).collect())
}

fn map(entries: &[(&str, &str)]) -> Value {
    Value::map(Type::String, entries.iter().map(|(k, v)| ((*k).into(), Value::from(*v))))
}

struct Place {
    harness: Harness,
    dir: tempfile::TempDir,
}

impl Place {
    async fn new() -> Place {
        let harness = Harness::new(lookup(KIND).unwrap()).await.unwrap();
        Place { harness, dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A file `object` that commands keep: what it holds is `stdin` or the argument of the update.
    fn arguments(&self, content: &str) -> Vec<(&'static str, Value)> {
        vec![
            ("working_dir", self.dir.path().to_str().unwrap().into()),
            ("shell", true.into()),
            ("stdin", content.into()),
            ("create", list(&["cat > object; echo c >> log"])),
            ("read", list(&["test -e object && cat object"])),
            ("update", list(&["cat > object; echo u:$PLUMB_OUTPUT >> log"])),
            ("delete", list(&["rm -f object; echo d:$PLUMB_ID >> log"])),
        ]
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }
}

fn without<'a>(arguments: &[(&'a str, Value)], name: &str) -> Vec<(&'a str, Value)> {
    arguments.iter().filter(|(n, _)| *n != name).cloned().collect()
}

fn with<'a>(arguments: &[(&'a str, Value)], name: &'a str, value: Value) -> Vec<(&'a str, Value)> {
    [without(arguments, name), vec![(name, value)]].concat()
}

fn code(diagnostics: plumb_model::Diagnostics) -> &'static str {
    diagnostics.iter().find(|d| d.is_error()).map_or("", |d| d.code)
}

#[tokio::test]
async fn an_object_lives_and_dies() {
    let place = Place::new().await;
    let object = place.harness.create(KIND, &place.arguments("one\n")).await.unwrap();
    assert_eq!((object.text("output"), place.text("object").as_str()), ("one", "one\n"));
    assert_eq!(object.get("exit_code"), &Value::int(0));
    assert_eq!(place.harness.read(&object).await.unwrap().unwrap(), object);
    let forecast = place.harness.plan(KIND, Some(&object), &place.arguments("one\n")).await.unwrap();
    assert!(forecast.is_no_op());

    let changed = place.harness.change(&object, &place.arguments("two")).await.unwrap();
    assert_eq!((changed.text("output"), changed.text("id")), ("two", object.text("id")));
    place.harness.delete(&changed).await.unwrap();
    assert_eq!(place.harness.read(&changed).await.unwrap(), None);
    assert_eq!(place.text("log"), format!("c\nu:one\nd:{}\n", object.text("id")));
}

#[tokio::test]
async fn drift_is_mended_by_an_update_or_a_replacement() {
    let place = Place::new().await;
    let arguments = place.arguments("wanted");
    let object = place.harness.create(KIND, &arguments).await.unwrap();
    fs::write(place.path("object"), "altered").unwrap();
    let seen = place.harness.read(&object).await.unwrap().unwrap();
    assert_eq!(seen.text("output"), "altered");
    let seen_again = place.harness.read(&seen).await.unwrap().unwrap();

    let forecast = place.harness.plan(KIND, Some(&seen_again), &arguments).await.unwrap();
    assert!(forecast.is_unknown("output") && !forecast.is_replacement());
    let mended = place.harness.apply(&forecast).await.0.unwrap();
    assert_eq!((mended.text("output"), place.text("object").as_str()), ("wanted", "wanted"));
    assert!(place.harness.plan(KIND, Some(&mended), &arguments).await.unwrap().is_no_op());

    let arguments = without(&arguments, "update");
    let mut seen = seen_again;
    seen.state = Value::object(seen.state.as_entries().unwrap().iter().map(|(name, value)| {
        (name.clone(), if name == "update" { Value::Null(value.ty()) } else { value.clone() })
    }));
    let forecast = place.harness.plan(KIND, Some(&seen), &arguments).await.unwrap();
    assert_eq!(forecast.requires_replace, [plumb_model::Path::of("output")]);
}

#[tokio::test]
async fn only_what_the_object_is_made_from_runs_commands_again() {
    let place = Place::new().await;
    let arguments = place.arguments("x");
    let object = place.harness.create(KIND, &arguments).await.unwrap();
    let calm = with(&arguments, "delete", list(&["rm object"]));
    let changed = place.harness.change(&object, &calm).await.unwrap();
    assert_eq!(place.text("log"), "c\n");
    assert_eq!(changed.get("delete"), &list(&["rm object"]));

    let hidden = with(&arguments, "sensitive", true.into());
    let changed = place.harness.change(&object, &hidden).await.unwrap();
    assert!(changed.get("output").is_null() && changed.get("stdout").is_null());
    assert_eq!(changed.text("sensitive_output"), "x");
    assert_eq!(place.text("log"), "c\n");

    let other = without(&with(&arguments, "stdin", "y".into()), "update");
    let forecast = place.harness.plan(KIND, Some(&object), &other).await.unwrap();
    assert_eq!(forecast.requires_replace, [plumb_model::Path::of("stdin")]);
    let trigger = with(&arguments, "triggers_replace", Value::int(1));
    assert!(place.harness.plan(KIND, Some(&object), &trigger).await.unwrap().is_replacement());
}

#[tokio::test]
async fn a_failed_creation_leaves_what_read_finds() {
    let place = Place::new().await;
    let half = with(&place.arguments("x"), "create", list(&["cat > object; echo broken >&2; exit 3"]));
    let forecast = place.harness.plan(KIND, None, &half).await.unwrap();
    let (left, diagnostics) = place.harness.apply(&forecast).await;
    assert!(diagnostics.iter().any(|d| d.detail.contains("exit code 3") && d.detail.contains("broken")));
    place.harness.delete(&left.unwrap()).await.unwrap();

    let nothing = with(&half, "create", list(&["exit 3"]));
    let forecast = place.harness.plan(KIND, None, &nothing).await.unwrap();
    let (left, diagnostics) = place.harness.apply(&forecast).await;
    assert!(left.is_none() && diagnostics.has_errors());

    let forgetful = with(&half, "create", list(&["true"]));
    let error = place.harness.create(KIND, &forgetful).await.unwrap_err();
    assert_eq!(code(error), "object-absent");
}

#[tokio::test]
async fn a_failed_update_is_tried_again() {
    let place = Place::new().await;
    let object = place.harness.create(KIND, &place.arguments("x")).await.unwrap();
    let failing = with(&place.arguments("y"), "update", list(&["exit 1"]));
    let forecast = place.harness.plan(KIND, Some(&object), &failing).await.unwrap();
    let (left, diagnostics) = place.harness.apply(&forecast).await;
    assert!(diagnostics.has_errors());
    let left = left.unwrap();
    assert_eq!(left.state, object.state);
    assert!(!place.harness.plan(KIND, Some(&left), &place.arguments("y")).await.unwrap().is_no_op());
}

#[tokio::test]
async fn an_interrupted_creation_is_found_or_repeated() {
    let place = Place::new().await;
    let arguments = place.arguments("x");
    let forecast = place.harness.plan(KIND, None, &arguments).await.unwrap();
    let planned = saved(&forecast);
    assert_eq!(place.harness.read(&planned).await.unwrap(), None);
    let created = place.harness.apply(&forecast).await.0.unwrap();
    let found = place.harness.read(&planned).await.unwrap().unwrap();
    assert_eq!((found.text("id"), found.text("output")), (created.text("id"), "x"));
    assert!(place.harness.plan(KIND, Some(&found), &arguments).await.unwrap().is_no_op());

    let mut blind = planned;
    blind.state = Value::object(blind.state.as_entries().unwrap().iter().map(|(name, value)| {
        (name.clone(), if name == "read" { Value::Null(value.ty()) } else { value.clone() })
    }));
    assert_eq!(place.harness.read(&blind).await.unwrap(), None, "nobody can tell, so it is made again");
}

/// The planned object as it is saved before the command starts.
fn saved(forecast: &Forecast) -> Object {
    Object {
        kind: KIND.into(),
        state: Value::object(forecast.planned.as_entries().unwrap().iter().map(|(name, value)| {
            (name.clone(), if value.is_known() { value.clone() } else { Value::Null(value.ty()) })
        })),
        private: forecast.private.clone(),
        identity: None,
    }
}

#[tokio::test]
async fn a_creation_goes_on_without_plumb_and_is_found_afterwards() {
    let dir = tempfile::tempdir().unwrap();
    let harness = || async { Harness::new(lookup_in(KIND, Some(dir.path())).unwrap()).await.unwrap() };
    let made = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap_or_default();
    let arguments = |script: &str| {
        vec![
            ("working_dir", Value::from(dir.path().to_str().unwrap())),
            ("create", list(&["sh", "-c", script])),
            ("delete", list(&["rm", "good"])),
        ]
    };
    let first = harness().await;
    let good = first.plan(KIND, None, &arguments("sleep 0.3; echo done >> good; cat good")).await.unwrap();
    let bad = first.plan(KIND, None, &arguments("sleep 0.3; echo done >> bad; exit 4")).await.unwrap();
    let never = first.plan(KIND, None, &arguments("echo done >> never")).await.unwrap();
    // Dropping the calls half way is what is left of them when the process is killed.
    let interrupted = futures_util::future::join(first.apply(&good), first.apply(&bad));
    assert!(tokio::time::timeout(Duration::from_millis(150), interrupted).await.is_err());
    drop(first);

    let second = harness().await;
    let found = second.read(&saved(&good)).await.unwrap().unwrap();
    assert_eq!((found.text("output"), made("good").as_str()), ("done", "done\n"));
    let forecast =
        second.plan(KIND, Some(&found), &arguments("sleep 0.3; echo done >> good; cat good")).await;
    assert!(forecast.unwrap().is_no_op());
    let damaged = second.read(&saved(&bad)).await.unwrap().unwrap();
    assert_eq!(damaged.get("exit_code"), &Value::int(4));
    let forecast = second.plan(KIND, Some(&damaged), &arguments("sleep 0.3; echo done >> bad; exit 4")).await;
    assert!(forecast.unwrap().is_replacement(), "a creation that failed is repeated");
    assert_eq!(second.read(&saved(&never)).await.unwrap(), None);
    assert!(made("never").is_empty());

    // Once it is recorded, and everything ended well, nothing of it is kept.
    second.read(&found).await.unwrap().unwrap();
    second.delete(&found).await.unwrap();
    second.provider().shutdown().await;
    let kept = fs::read_dir(dir.path().join("commands")).unwrap().count();
    assert_eq!(kept, 1, "the creation that failed is not recorded yet");
}

#[tokio::test]
async fn no_shell_reads_a_list() {
    let place = Place::new().await;
    let echo = [("create", list(&["printf", "%s|", "$HOME", "a b", ";", "*"]))];
    let object = place.harness.create(KIND, &echo).await.unwrap();
    assert_eq!(object.text("stdout"), "$HOME|a b|;|*|");
    let interpreted = [("create", list(&["print(6 * 7)"])), ("interpreter", list(&["python3", "-c"]))];
    if let Ok(object) = place.harness.create(KIND, &interpreted).await {
        assert_eq!(object.text("output"), "42");
    }
}

#[tokio::test]
async fn json_is_understood() {
    let place = Place::new().await;
    let json =
        [("create", list(&["echo", r#"{"n": 1.50, "l": ["a", null]}"#])), ("output_format", "json".into())];
    let object = place.harness.create(KIND, &json).await.unwrap();
    let number = Value::Number(plumb_model::Number::parse("1.5").unwrap());
    assert_eq!(object.get("output").get("n"), Some(&number));
    let text = [("create", list(&["echo", "plain"])), ("output_format", "json".into())];
    let forecast = place.harness.plan(KIND, None, &text).await.unwrap();
    let (left, diagnostics) = place.harness.apply(&forecast).await;
    assert_eq!((left.unwrap().text("output"), code(diagnostics)), ("plain", "output-not-json"));
}

#[tokio::test]
async fn secrets_are_not_shown() {
    let place = Place::new().await;
    let secret = [
        ("create", list(&["sh", "-c", "echo $TOKEN >&2; exit 1"])),
        ("sensitive_environment", map(&[("TOKEN", "s3cret")])),
    ];
    let error = place.harness.create(KIND, &secret).await.unwrap_err();
    assert!(error.iter().all(|d| !d.detail.contains("s3cret") && d.detail.contains("(sensitive)")));
    let hidden = [("create", list(&["echo", "hush"])), ("sensitive", true.into())];
    let object = place.harness.create(KIND, &hidden).await.unwrap();
    assert_eq!(object.text("sensitive_output"), "hush");
    assert!(["output", "stdout", "stderr"].iter().all(|name| object.get(name).is_null()));
    let schema = place.harness.provider().schema().await.unwrap();
    let attributes = &schema.resources[KIND].block.attributes;
    assert!(attributes["sensitive_output"].sensitive && attributes["sensitive_environment"].sensitive);
}

/// Whether a process of this id runs.
fn runs(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

async fn ended(pid: &str) {
    while runs(pid) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_time_limit_ends_all_that_was_started() {
    let place = Place::new().await;
    let endless = [
        ("working_dir", place.dir.path().to_str().unwrap().into()),
        ("create", list(&["sh", "-c", "sleep 1000 & echo $! > pid; trap '' TERM; wait"])),
        ("timeout", "300ms".into()),
    ];
    let error = place.harness.create(KIND, &endless).await.unwrap_err();
    assert!(error.iter().any(|d| d.detail.contains("it was ended after 300ms")), "{error:?}");
    ended(place.text("pid").trim()).await;
}

#[tokio::test]
async fn stopping_ends_a_command() {
    let place = std::sync::Arc::new(Place::new().await);
    let task = {
        let place = place.clone();
        tokio::spawn(async move {
            let endless = [
                ("working_dir", place.dir.path().to_str().unwrap().into()),
                ("create", list(&["sh", "-c", "echo $$ > new; mv new pid; exec sleep 1000"])),
            ];
            place.harness.create(KIND, &endless).await
        })
    };
    while !place.path("pid").exists() {
        tokio::task::yield_now().await;
    }
    place.harness.provider().stop().await;
    assert_eq!(code(task.await.unwrap().unwrap_err()), "command-failed");
    ended(place.text("pid").trim()).await;
}

#[tokio::test]
async fn great_output_is_cut_off_and_background_processes_are_not_waited_for() {
    let place = Place::new().await;
    let error = place.harness.create(KIND, &[("create", list(&["yes"]))]).await.unwrap_err();
    assert!(error.iter().any(|d| d.detail.contains("it printed more than")));
    let background = [("create", list(&["sh", "-c", "sleep 20 & echo $!"]))];
    let object = place.harness.create(KIND, &background).await.unwrap();
    assert!(runs(object.text("output")));
    let kill = [("create", list(&["kill", object.text("output")]))];
    place.harness.create(KIND, &kill).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_started_is_told() {
    let place = Place::new().await;
    for (arguments, text) in [
        (vec![("create", list(&["/no/such/program"]))], "there is no program"),
        (vec![("create", list(&["true"])), ("working_dir", "/no/such/dir".into())], "there is no directory"),
        (vec![("create", list(&["/"]))], "cannot be started"),
    ] {
        let forecast = place.harness.plan(KIND, None, &arguments).await.unwrap();
        let (left, diagnostics) = place.harness.apply(&forecast).await;
        assert!(left.is_none() && diagnostics.iter().any(|d| d.detail.contains(text)), "{diagnostics:?}");
    }
    for arguments in [
        vec![("create", list(&[]))],
        vec![("create", list(&["a", "b"])), ("shell", true.into())],
        vec![("create", list(&["a"])), ("shell", true.into()), ("interpreter", list(&["b"]))],
        vec![("create", list(&["a"])), ("timeout", "soon".into())],
        vec![("create", list(&["a"])), ("output_format", "yaml".into())],
        vec![("create", list(&["a\0b"]))],
    ] {
        assert!(place.harness.validate(KIND, &arguments).await.unwrap().has_errors(), "{arguments:?}");
    }
}

#[tokio::test]
async fn the_data_source_runs() {
    let place = Place::new().await;
    let data =
        place.harness.data(KIND, &[("command", list(&["cat"])), ("stdin", "hi\n".into())]).await.unwrap();
    assert_eq!((data.get("output"), data.get("stdout")), (Some(&"hi".into()), Some(&"hi\n".into())));
    let failing = [("command", list(&["false"]))];
    assert_eq!(code(place.harness.data(KIND, &failing).await.unwrap_err()), "command-failed");
    let allowed = Value::list(Type::Number, vec![Value::int(1)]);
    let failing = [("command", list(&["false"])), ("allowed_exit_codes", allowed)];
    assert_eq!(place.harness.data(KIND, &failing).await.unwrap().get("exit_code"), Some(&Value::int(1)));
}
