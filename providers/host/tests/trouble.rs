//! What becomes of a provider that breaks its promises, and of its processes.

mod support;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use plumb_model::Value;
use plumb_provider_api::Provider;
use plumb_provider_host::{Options, Plugin, Source, reattach};
use support::bench::{ADDRESS, Bench, Made, code, processes};

const KIND: &str = "conformance_thing";

async fn misbehaving(bench: &Bench, name: &str, trouble: &str) -> Value {
    bench.object(KIND, &[("name", name.into()), ("title", "t".into()), ("misbehave", trouble.into())]).await
}

#[tokio::test]
async fn bad_plans_are_refused() {
    let Some(bench) = Bench::new(6, &[]).await else { return };
    for (trouble, wanted, detail) in [
        ("plan-crash", "provider-crashed", "panic: the plan is spoilt"),
        ("plan-wrong-type", "provider-broke-promise", "found a string, wanted object"),
        ("plan-huge", "provider-message-too-large", "larger than max"),
        ("plan-missing-attribute", "provider-broke-promise", "title"),
        ("plan-defer", "provider-reported", "deferred"),
    ] {
        let config = misbehaving(&bench, trouble, trouble).await;
        let diagnostics = bench.try_plan(KIND, None, config).await.unwrap_err();
        assert_eq!(code(&diagnostics), wanted, "{trouble}: {diagnostics:?}");
        let diagnostic = diagnostics.iter().next().unwrap();
        let text = format!("{} {}", diagnostic.detail, diagnostic.notes.join(" "));
        assert!(text.contains(ADDRESS) && text.contains(detail), "{trouble}: {text}");
    }
    // Whatever happened, the next call is answered.
    let config = misbehaving(&bench, "a", "plan-print").await;
    bench.try_plan(KIND, None, config).await.unwrap();
}

#[tokio::test]
async fn what_was_applied_is_told_whatever_went_wrong() {
    let Some(bench) = Bench::new(6, &[]).await else { return };
    let apply = async |trouble: &str| {
        let config = misbehaving(&bench, trouble, trouble).await;
        let plan = bench.try_plan(KIND, None, config.clone()).await.unwrap();
        bench.try_apply(KIND, None, plan, config).await
    };
    for (trouble, made) in [("apply-crash-before", false), ("apply-crash-after", true)] {
        let outcome = apply(trouble).await;
        assert_eq!(code(&outcome.diagnostics), "provider-crashed");
        assert_eq!(outcome.state, None, "nobody can say");
        assert_eq!(bench.history().contains(&format!("create thing {trouble}")), made);
    }
    let outcome = apply("apply-error-before").await;
    assert_eq!(code(&outcome.diagnostics), "provider-reported");
    assert!(outcome.state.unwrap().is_null());
    let outcome = apply("apply-error-after").await;
    assert!(outcome.diagnostics.has_errors());
    assert_eq!(outcome.state.unwrap().get("revision"), Some(&Value::int(1)));
    let outcome = apply("apply-wrong-type").await;
    assert_eq!((code(&outcome.diagnostics), outcome.state), ("provider-broke-promise", None));
    for trouble in ["apply-missing-attribute", "apply-huge"] {
        let outcome = apply(trouble).await;
        assert!(outcome.diagnostics.has_errors(), "{trouble}");
        assert_eq!(outcome.state, None, "{trouble}: nobody can say");
    }
    let outcome = apply("apply-unknown").await;
    assert!(!outcome.state.unwrap().is_wholly_known());
}

#[tokio::test]
async fn a_bad_read_is_refused() {
    let Some(bench) = Bench::new(6, &[]).await else { return };
    for (trouble, wanted) in [
        ("read-crash", "provider-crashed"),
        ("read-unknown", "provider-broke-promise"),
        ("read-wrong-type", "provider-broke-promise"),
        ("read-missing-attribute", "provider-broke-promise"),
        ("read-defer", "provider-reported"),
    ] {
        let made = bench.apply(KIND, None, misbehaving(&bench, trouble, trouble).await).await;
        let diagnostics = bench.try_read(KIND, &made).await.unwrap_err();
        assert_eq!(code(&diagnostics), wanted, "{trouble}");
    }
}

#[tokio::test]
async fn silence_has_a_limit() {
    let Some(bench) = Bench::impatient().await else { return };
    let config = misbehaving(&bench, "a", "plan-hang").await;
    let diagnostics = bench.try_plan(KIND, None, config).await.unwrap_err();
    assert_eq!(code(&diagnostics), "provider-silent");
    let made = bench.apply(KIND, None, misbehaving(&bench, "b", "read-hang").await).await;
    assert_eq!(code(&bench.try_read(KIND, &made).await.unwrap_err()), "provider-silent");
}

#[tokio::test]
async fn a_process_that_died_is_started_and_configured_again() {
    let Some(bench) = Bench::new(6, &[]).await else { return };
    let before = bench.processes();
    let config = misbehaving(&bench, "a", "plan-crash-once").await;
    assert!(bench.try_plan(KIND, None, config.clone()).await.is_err());
    let made = bench.apply(KIND, None, config).await;
    assert_eq!(made.state.get("title"), Some(&"t".into()));
    assert_ne!(bench.processes(), before);
}

#[tokio::test]
async fn equal_configurations_share_a_process() {
    let Some(bench) = Bench::new(6, &[]).await else { return };
    let same = bench.plugin.provider();
    assert!(bench.configure(&same).await.is_empty());
    assert_eq!(bench.processes().len(), 1);
    let other = bench.plugin.provider();
    let config = Value::object([("remote", Value::NULL), ("token", "x".into()), ("refuse", Value::NULL)]);
    assert!(other.configure(config).await.is_empty());
    assert_eq!(bench.processes().len(), 2);
    let refused = bench.plugin.provider();
    let config = Value::object([("remote", Value::NULL), ("token", Value::NULL), ("refuse", true.into())]);
    assert_eq!(code(&refused.configure(config).await), "provider-reported");
    assert_eq!(bench.processes().len(), 2);
    bench.plugin.stop().await;
    assert_eq!(bench.processes().len(), 0);
}

#[tokio::test]
async fn a_spoilt_start_is_explained() {
    for (start, wanted, detail) in [
        ("garbage", "plugin-handshake", "It printed \"Hello, I am a provider!\"."),
        ("exit", "plugin-ended", "no licence found"),
        ("panic", "plugin-ended", "panic: the start is spoilt"),
    ] {
        let Some(bench) = Bench::unconfigured(6, &[("CONFORMANCE_START", start)]) else { return };
        let diagnostics = bench.provider.schema().await.unwrap_err();
        assert_eq!(code(&diagnostics), wanted);
        let text = &diagnostics.iter().next().unwrap().detail;
        assert!(text.contains(detail), "{text}");
    }
}

#[tokio::test]
async fn a_silent_start_ends() {
    let Some(program) = support::conformance() else { return };
    let options = Options {
        environment: vec![("CONFORMANCE_START".into(), "hang".into())],
        start_limit: Duration::from_millis(300),
        ..Options::default()
    };
    let provider = support::plugin(ADDRESS, program, options).provider();
    assert_eq!(code(&provider.schema().await.unwrap_err()), "plugin-silent");
}

#[tokio::test]
async fn a_missing_or_unusable_program_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text");
    std::fs::write(&text, "not a program").unwrap();
    for (program, wanted) in [(folder.path().join("absent"), "plugin-not-startable"), (text, "")] {
        let provider = Plugin::new(ADDRESS, Source::Program(program.clone()), Options::default()).provider();
        let diagnostics = provider.schema().await.unwrap_err();
        let diagnostic = diagnostics.iter().next().unwrap();
        assert!(wanted.is_empty() || diagnostic.code == wanted, "{diagnostic:?}");
        assert!(diagnostic.detail.contains(program.to_str().unwrap()), "{}", diagnostic.detail);
    }
}

#[tokio::test]
async fn stopping_ends_a_call_that_hangs() {
    let Some(bench) = Bench::new(6, &[]).await else { return };
    let config = misbehaving(&bench, "a", "apply-hang").await;
    let plan = bench.try_plan(KIND, None, config.clone()).await.unwrap();
    let apply = bench.try_apply(KIND, None, plan, config);
    let stop = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        bench.plugin.stop().await;
    };
    let (outcome, ()) = tokio::join!(apply, stop);
    assert!(outcome.diagnostics.has_errors());
    assert_eq!(bench.processes().len(), 0);
}

#[tokio::test]
async fn dropping_everything_leaves_nothing_behind() {
    let Some(bench) = Bench::new(6, &[]).await else { return };
    let remote = bench.remote.to_str().unwrap().to_owned();
    assert_eq!(bench.processes().len(), 1);
    drop(bench);
    gone(&remote).await;
}

/// Waits until no process has this text in its environment; fails if that does not come.
async fn gone(text: &str) {
    for _ in 0..100 {
        if processes(text).is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("still running: {:?}", processes(text));
}

/// Not a test of its own: the host that the next test kills.
#[tokio::test]
async fn a_host_to_be_killed() {
    if std::env::var_os("PLUMB_TEST_HOST").is_none() {
        return;
    }
    let bench = Bench::new(6, &[]).await.unwrap();
    let mut line = format!("\nremote {}\n", bench.remote.display());
    line.push('\n');
    std::io::Write::write_all(&mut std::io::stdout(), line.as_bytes()).unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_killed_host_leaves_no_process_behind() {
    if support::conformance().is_none() {
        return;
    }
    let mut host = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_host_to_be_killed", "--nocapture"])
        .env("PLUMB_TEST_HOST", "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(host.stdout.take().unwrap()).lines();
    let remote = lines.find_map(|line| line.unwrap().strip_prefix("remote ").map(str::to_owned)).unwrap();
    assert_eq!(processes(&remote).len(), 1);
    host.kill().unwrap();
    host.wait().unwrap();
    gone(&remote).await;
}

#[tokio::test]
async fn a_running_provider_is_attached_to_and_left_running() {
    let Some(program) = support::conformance() else { return };
    for protocol in ["5", "6"] {
        let mut running = Command::new(&program)
            .arg("-debug")
            .env("CONFORMANCE_PROTOCOL", protocol)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
        let marker = format!("{}='", reattach::VARIABLE);
        let value = lines
            .find_map(|line| {
                Some(line.unwrap().trim().strip_prefix(&marker)?.trim_end_matches('\'').to_owned())
            })
            .unwrap();
        let running_providers = reattach::parse(&value).unwrap();
        let source = Source::of(ADDRESS, "/nowhere".into(), &running_providers);
        let plugin = Plugin::new(ADDRESS, source, Options::default());
        let schema = plugin.provider().schema().await.unwrap();
        assert!(schema.resources.contains_key(KIND));
        plugin.stop().await;
        assert!(running.try_wait().unwrap().is_none(), "it is not ours to end");
        running.kill().unwrap();
        running.wait().unwrap();
    }
}

#[tokio::test]
async fn what_exists_is_found_again_after_a_crash() {
    let Some(bench) = Bench::new(6, &[]).await else { return };
    let config = misbehaving(&bench, "a", "apply-crash-after-once").await;
    let plan = bench.try_plan(KIND, None, config.clone()).await.unwrap();
    assert!(bench.try_apply(KIND, None, plan, config).await.diagnostics.has_errors());
    let target = plumb_provider_api::ImportTarget::Id("a".into());
    let (found, _) = bench.provider.import(KIND, target).await.into_result().unwrap();
    let made = Made { state: found[0].state.clone(), private: found[0].private.clone(), identity: None };
    assert_eq!(bench.try_read(KIND, &made).await.unwrap().state.get("title"), Some(&"t".into()));
}
