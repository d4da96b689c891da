//! What is said of events, as lines, as JSON, and that the live display ends cleanly.

use expect_test::expect;
use indicatif::{InMemoryTerm, ProgressDrawTarget};
use plumb_model::Diagnostic;
use plumb_model::address::Instance;
use serde_json::Value as Json;

use super::live::Live;
use super::ui_json::JsonLines;
use super::*;
use crate::render::sample::everything;

fn instance(address: &str) -> Instance {
    Instance::parse(address).unwrap()
}

fn id(text: &str) -> Id {
    Some(("id".into(), text.into()))
}

fn events() -> Vec<Event> {
    let (a, b, c) = (instance("file.a"), instance("module.m.file.b[0]"), instance(r#"file.c["\u0007"]"#));
    let second = Duration::from_secs(1);
    vec![
        Event::ReadStarted { address: a.clone(), id: id("1") },
        Event::ReadEnded { address: a.clone(), id: id("1"), took: second },
        Event::StepStarted { address: a.clone(), action: Action::Delete, id: id("1") },
        Event::StepEnded { address: a.clone(), action: Action::Delete, id: id("1"), took: second },
        Event::StepStarted { address: a.clone(), action: Action::Create, id: None },
        Event::StepProgress { address: a.clone(), action: Action::Create, elapsed: second * 70 },
        Event::Output { from: "file.a (local-exec)".into(), line: "hi\u{1b}[2J".into() },
        Event::Output { from: "provider aws".into(), line: "hm".into() },
        Event::StepEnded { address: a, action: Action::Create, id: id("\u{1b}2"), took: second * 4000 },
        Event::StepStarted { address: b.clone(), action: Action::Update, id: id("b") },
        Event::StepFailed { address: b, action: Action::Update, took: second },
        Event::StepSkipped { address: c, action: Action::Create, because: "module.m.file.b[0]".into() },
        Event::Diagnostic(Box::new(Diagnostic::warning("odd", "Something odd").detail("It is odd."))),
    ]
}

#[test]
fn a_line_for_each_step() {
    let mut out = Vec::new();
    let mut lines = Lines::new(&mut out, Style::plain(), Arc::default());
    events().into_iter().for_each(|event| lines.event(event));
    expect![[r#"
        file.a: Destroying... [id=1]
        file.a: Destruction complete after 1s
        file.a: Creating...
        file.a: Still creating... [1m10s elapsed]
        file.a (local-exec): hi\u001b[2J
        provider aws: hm
        file.a: Creation complete after 1h6m40s [id=\u001b2]
        module.m.file.b[0]: Modifying... [id=b]
        module.m.file.b[0]: Modifications failed after 1s
        file.c["\u0007"]: Not created, since module.m.file.b[0] failed
          ! Warning: Something odd [odd]
          | It is odd.

    "#]]
    .assert_eq(&String::from_utf8(out).unwrap());
}

#[test]
fn lines_of_json() {
    let mut out = Vec::new();
    let mut lines = JsonLines::new(&mut out, Arc::default(), || "T".to_owned());
    lines.version("0.1.0");
    lines.plan(&everything());
    events().into_iter().for_each(|event| lines.event(event));
    lines.summary(&everything().summary(), "apply");
    let text = String::from_utf8(out).unwrap();
    for line in text.lines() {
        let json: Json = serde_json::from_str(line).unwrap();
        assert!(json["@message"].is_string() && json["type"].is_string(), "{line}");
    }
    // What all lines begin with is left out.
    let short = text.replace("\"@module\":\"terraform.ui\",\"@timestamp\":\"T\",", "");
    expect![[r#"
        {"@level":"info","@message":"Plumb 0.1.0","terraform":"1.11.4","plumb":"0.1.0","ui":"1.2","type":"version"}
        {"@level":"info","@message":"file.each[\"k\"]: Drift detected (update)","change":{"resource":{"addr":"file.each[\"k\"]","module":"","resource":"file.each[\"k\"]","implied_provider":"file","resource_type":"file","resource_name":"each","resource_key":"k"},"action":"update"},"type":"resource_drift"}
        {"@level":"info","@message":"file.updated: Drift detected (update)","change":{"resource":{"addr":"file.updated","module":"","resource":"file.updated","implied_provider":"file","resource_type":"file","resource_name":"updated","resource_key":null},"action":"update"},"type":"resource_drift"}
        {"@level":"info","@message":"data.file.late: Plan to read","change":{"resource":{"addr":"data.file.late","module":"","resource":"data.file.late","implied_provider":"file","resource_type":"file","resource_name":"late","resource_key":null},"action":"read","reason":"read_because_config_unknown"},"type":"planned_change"}
        {"@level":"info","@message":"file.created: Plan to create","change":{"resource":{"addr":"file.created","module":"","resource":"file.created","implied_provider":"file","resource_type":"file","resource_name":"created","resource_key":null},"action":"create"},"type":"planned_change"}
        {"@level":"info","@message":"file.updated: Plan to update","change":{"resource":{"addr":"file.updated","module":"","resource":"file.updated","implied_provider":"file","resource_type":"file","resource_name":"updated","resource_key":null},"action":"update"},"type":"planned_change"}
        {"@level":"info","@message":"file.replaced: Plan to replace","change":{"resource":{"addr":"file.replaced","module":"","resource":"file.replaced","implied_provider":"file","resource_type":"file","resource_name":"replaced","resource_key":null},"previous_resource":{"addr":"file.former","module":"","resource":"file.former","implied_provider":"file","resource_type":"file","resource_name":"former","resource_key":null},"action":"replace","reason":"cannot_update"},"type":"planned_change"}
        {"@level":"info","@message":"file.tainted: Plan to replace","change":{"resource":{"addr":"file.tainted","module":"","resource":"file.tainted","implied_provider":"file","resource_type":"file","resource_name":"tainted","resource_key":null},"action":"replace","reason":"tainted"},"type":"planned_change"}
        {"@level":"info","@message":"file.unwanted: Plan to delete","change":{"resource":{"addr":"file.unwanted","module":"","resource":"file.unwanted","implied_provider":"file","resource_type":"file","resource_name":"unwanted","resource_key":null},"action":"delete","reason":"delete_because_no_resource_config"},"type":"planned_change"}
        {"@level":"info","@message":"file.updated: Plan to delete","change":{"resource":{"addr":"file.updated","module":"","resource":"file.updated","implied_provider":"file","resource_type":"file","resource_name":"updated","resource_key":null},"action":"delete"},"type":"planned_change"}
        {"@level":"info","@message":"module.m[0].file.moved: Plan to move","change":{"resource":{"addr":"module.m[0].file.moved","module":"module.m[0]","resource":"file.moved","implied_provider":"file","resource_type":"file","resource_name":"moved","resource_key":null},"previous_resource":{"addr":"file.was","module":"","resource":"file.was","implied_provider":"file","resource_type":"file","resource_name":"was","resource_key":null},"action":"move"},"type":"planned_change"}
        {"@level":"info","@message":"module.m[0].file.taken: Plan to import","change":{"resource":{"addr":"module.m[0].file.taken","module":"module.m[0]","resource":"file.taken","implied_provider":"file","resource_type":"file","resource_name":"taken","resource_key":null},"action":"import","importing":{"id":"i-1"}},"type":"planned_change"}
        {"@level":"info","@message":"module.n[\"x\"].file.left: Plan to remove","change":{"resource":{"addr":"module.n[\"x\"].file.left","module":"module.n[\"x\"]","resource":"file.left","implied_provider":"file","resource_type":"file","resource_name":"left","resource_key":null},"action":"remove"},"type":"planned_change"}
        {"@level":"info","@message":"Plan: 1 to import, 3 to add, 1 to change, 4 to destroy.","changes":{"add":3,"change":1,"import":1,"remove":4,"operation":"plan"},"type":"change_summary"}
        {"@level":"info","@message":"Outputs: 6","outputs":{"added":{"sensitive":false,"action":"create"},"changed":{"sensitive":false,"action":"update"},"key":{"sensitive":true,"action":"update"},"removed":{"sensitive":false,"action":"delete"},"same":{"sensitive":false,"action":"noop"},"waits":{"sensitive":false,"action":"update"}},"type":"outputs"}
        {"@level":"info","@message":"file.a: Refreshing state... [id=1]","hook":{"resource":{"addr":"file.a","module":"","resource":"file.a","implied_provider":"file","resource_type":"file","resource_name":"a","resource_key":null},"id_key":"id","id_value":"1"},"type":"refresh_start"}
        {"@level":"info","@message":"file.a: Refresh complete [id=1]","hook":{"resource":{"addr":"file.a","module":"","resource":"file.a","implied_provider":"file","resource_type":"file","resource_name":"a","resource_key":null},"id_key":"id","id_value":"1"},"type":"refresh_complete"}
        {"@level":"info","@message":"file.a: Destroying... [id=1]","hook":{"resource":{"addr":"file.a","module":"","resource":"file.a","implied_provider":"file","resource_type":"file","resource_name":"a","resource_key":null},"action":"delete","id_key":"id","id_value":"1"},"type":"apply_start"}
        {"@level":"info","@message":"file.a: Destruction complete after 1s","hook":{"resource":{"addr":"file.a","module":"","resource":"file.a","implied_provider":"file","resource_type":"file","resource_name":"a","resource_key":null},"action":"delete","elapsed_seconds":1},"type":"apply_complete"}
        {"@level":"info","@message":"file.a: Creating...","hook":{"resource":{"addr":"file.a","module":"","resource":"file.a","implied_provider":"file","resource_type":"file","resource_name":"a","resource_key":null},"action":"create"},"type":"apply_start"}
        {"@level":"info","@message":"file.a: Still creating... [1m10s elapsed]","hook":{"resource":{"addr":"file.a","module":"","resource":"file.a","implied_provider":"file","resource_type":"file","resource_name":"a","resource_key":null},"action":"create","elapsed_seconds":70},"type":"apply_progress"}
        {"@level":"info","@message":"file.a: (local-exec): hi\u001b[2J","hook":{"resource":{"addr":"file.a","module":"","resource":"file.a","implied_provider":"file","resource_type":"file","resource_name":"a","resource_key":null},"provisioner":"local-exec","output":"hi\u001b[2J"},"type":"provision_progress"}
        {"@level":"info","@message":"provider aws: hm","type":"log"}
        {"@level":"info","@message":"file.a: Creation complete after 1h6m40s [id=\\u001b2]","hook":{"resource":{"addr":"file.a","module":"","resource":"file.a","implied_provider":"file","resource_type":"file","resource_name":"a","resource_key":null},"action":"create","id_key":"id","id_value":"\u001b2","elapsed_seconds":4000},"type":"apply_complete"}
        {"@level":"info","@message":"module.m.file.b[0]: Modifying... [id=b]","hook":{"resource":{"addr":"module.m.file.b[0]","module":"module.m","resource":"file.b[0]","implied_provider":"file","resource_type":"file","resource_name":"b","resource_key":0},"action":"update","id_key":"id","id_value":"b"},"type":"apply_start"}
        {"@level":"error","@message":"module.m.file.b[0]: Modifications errored after 1s","hook":{"resource":{"addr":"module.m.file.b[0]","module":"module.m","resource":"file.b[0]","implied_provider":"file","resource_type":"file","resource_name":"b","resource_key":0},"action":"update","elapsed_seconds":1},"type":"apply_errored"}
        {"@level":"warn","@message":"file.c[\"\\u0007\"]: Not created, since module.m.file.b[0] failed","hook":{"resource":{"addr":"file.c[\"\\u0007\"]","module":"","resource":"file.c[\"\\u0007\"]","implied_provider":"file","resource_type":"file","resource_name":"c","resource_key":"\u0007"},"action":"create","because":"module.m.file.b[0]"},"type":"apply_skipped"}
        {"@level":"warn","@message":"Warning: Something odd","diagnostic":{"severity":"warning","summary":"Something odd","detail":"It is odd.","code":"odd"},"type":"diagnostic"}
        {"@level":"info","@message":"Apply complete! Resources: 1 imported, 3 added, 1 changed, 4 destroyed.","changes":{"add":3,"change":1,"import":1,"remove":4,"operation":"apply"},"type":"change_summary"}
    "#]].assert_eq(&short);
}

/// A line as Terraform 1.11.4 wrote it, apart from the version and the time.
#[test]
fn a_planned_change_is_the_line_that_terraform_writes() {
    let recorded = r#"{"@level":"info","@message":"module.n.terraform_data.in: Plan to update","@module":"terraform.ui","@timestamp":"T","change":{"resource":{"addr":"module.n.terraform_data.in","module":"module.n","resource":"terraform_data.in","implied_provider":"terraform","resource_type":"terraform_data","resource_name":"in","resource_key":null},"previous_resource":{"addr":"module.m[\"u\"].terraform_data.in","module":"module.m[\"u\"]","resource":"terraform_data.in","implied_provider":"terraform","resource_type":"terraform_data","resource_name":"in","resource_key":null},"action":"update"},"type":"planned_change"}"#;
    let mut change = crate::render::sample::change(
        "module.n.terraform_data.in",
        Action::Update,
        crate::render::sample::s("a"),
        crate::render::sample::s("b"),
    );
    change.previous_address = Some(instance(r#"module.m["u"].terraform_data.in"#));
    let mut out = Vec::new();
    let mut lines = JsonLines::new(&mut out, Arc::default(), || "T".to_owned());
    lines.plan(&crate::render::sample::plan(vec![change]));
    assert_eq!(String::from_utf8(out).unwrap().lines().next(), Some(recorded));
}

#[test]
fn the_live_display_shows_what_runs_and_leaves_what_ended() {
    let terminal = InMemoryTerm::new(12, 60);
    let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
    let mut live = Live::on(target, 10, 2, Style::plain(), Arc::default());
    for i in 0..5 {
        let address = instance(&format!("file.a[{i}]"));
        live.event(Event::StepStarted { address, action: Action::Create, id: None });
    }
    let shown = terminal.contents();
    assert!(shown.contains("file.a[0]: Creating") && shown.contains("file.a[1]: Creating"), "{shown}");
    assert!(!shown.contains("file.a[2]"), "{shown}");
    assert!(shown.contains("0 of 10 done, 3 more running"), "{shown}");
    let (address, took) = (instance("file.a[0]"), Duration::ZERO);
    live.event(Event::StepEnded { address, action: Action::Create, id: id("x"), took });
    let shown = terminal.contents();
    assert!(shown.contains("file.a[0]: Creation complete after 0s [id=x]"), "{shown}");
    assert!(shown.contains("file.a[2]: Creating"), "{shown}");
    crate::commands::listen::Voice::Above(live.bars()).say("Stopping.");
    assert!(terminal.contents().contains("[id=x]\nStopping.\n"), "{}", terminal.contents());
    drop(live);
    assert_eq!(terminal.contents(), "file.a[0]: Creation complete after 0s [id=x]\nStopping.");
}

#[test]
fn lengths_of_time() {
    let shown: Vec<String> = [0, 59, 60, 3599, 7201].map(|s| duration(Duration::from_secs(s))).into();
    assert_eq!(shown, ["0s", "59s", "1m0s", "59m59s", "2h0m1s"]);
}
