//! Plans that do the same have the same effect, and others have another.

use plumb_model::address::Instance;
use plumb_model::{Marks, Number, Type, Value};

use super::super::Key;
use super::super::effect::{EffectDigest, effect};
use super::artifacts::{change, full, key, plan, sensitive};
use crate::plan::{Action, Change, OutputChange, Plan, Purpose};

fn digest(plan: &Plan) -> EffectDigest {
    effect(plan, &key()).unwrap().digest
}

fn object(size: Value, name: Value) -> Value {
    Value::object([("name", name), ("size", size)])
}

fn update(size: Value) -> Change {
    let before = object(Value::int(1), "a".into());
    change("file.a", Action::Update, before, object(size, "a".into()))
}

fn check_same(a: Change, b: Change) {
    assert_eq!(digest(&plan(vec![a])), digest(&plan(vec![b])));
}

fn check_other(a: Change, b: Change) {
    let (a, b) = (plan(vec![a]), plan(vec![b]));
    assert_ne!(digest(&a), digest(&b));
    let [a, b] = [a, b].map(|plan| effect(&plan, &key()).unwrap());
    assert!(!a.differences(&b).is_empty());
    assert_eq!(a.differences(&b), b.differences(&a));
}

#[test]
fn what_is_only_bookkeeping_does_not_count() {
    let one = plan(vec![update(Value::int(2))]);
    let mut two = full().plan;
    two.changes = vec![
        Change { prior_private: "x".into(), schema_version: 4, ..update(Value::int(2)) },
        change("file.b", Action::NoOp, object(Value::int(1), "b".into()), object(Value::int(1), "b".into())),
    ];
    two.purpose = Purpose::Normal;
    two.outputs.clear();
    two.invocations.clear();
    assert_eq!(digest(&one), digest(&two));
    assert_ne!(digest(&one), digest(&Plan { purpose: Purpose::Destroy, ..one.clone() }));
}

#[test]
fn the_form_of_a_value_does_not_count() {
    check_same(update(Value::int(2)), update(Value::Number(Number::from_count(2))));
    check_same(update(Value::NULL), update(Value::Null(Type::Number)));
    check_same(update(Value::unknown(Type::Number)), update(Value::unknown_not_null(Type::Number)));
    let drifted = object(Value::int(1), "elsewhere".into());
    let after = object(Value::int(2), "elsewhere".into());
    check_same(update(Value::int(2)), Change { before: drifted, after, ..update(Value::NULL) });
}

#[test]
fn what_is_done_counts() {
    let base = || update(Value::int(2));
    check_other(base(), update(Value::int(3)));
    check_other(base(), update("2".into()));
    check_other(base(), update(Value::NULL));
    check_other(base(), update(Value::unknown(Type::Number)));
    check_other(base(), update(Value::tuple(vec![])));
    check_other(base(), Change { action: Action::DeleteThenCreate, ..base() });
    let replace = |action| Change { action, ..base() };
    check_other(replace(Action::DeleteThenCreate), replace(Action::CreateThenDelete));
    check_other(base(), Change { address: Instance::parse("file.b").unwrap(), ..base() });
    check_other(base(), Change { deposed: Some("00000001".into()), ..base() });
    check_other(base(), Change { importing: Some("i".into()), ..base() });
    check_other(base(), Change { previous_address: Some(Instance::parse("file.b").unwrap()), ..base() });
    let mut provider = base();
    provider.provider.alias = None;
    check_other(base(), provider);
    check_other(update(Value::tuple(vec![])), update(Value::object([("a", Value::NULL)])));
    let list =
        |items: &[i64]| update(Value::list(Type::Number, items.iter().map(|i| Value::int(*i)).collect()));
    check_other(list(&[1, 2]), list(&[2, 1]));
    check_other(list(&[1]), list(&[1, 1]));
}

#[test]
fn secrets_count_and_cannot_be_found_by_trying() {
    let with = |text: &str| plan(vec![update(sensitive(text))]);
    assert_ne!(digest(&with("a")), digest(&with("b")));
    assert_eq!(digest(&with("a")), digest(&with("a")));
    let other_key = effect(&with("a"), &Key::new([9; 32])).unwrap().digest;
    assert_ne!(digest(&with("a")), other_key);
    let open = plan(vec![update("a".into())]);
    assert_eq!(digest(&open), effect(&open, &Key::new([9; 32])).unwrap().digest);
}

#[test]
fn outputs_count() {
    let with = |after: Value| {
        let mut plan = plan(Vec::new());
        let output = OutputChange {
            before: Some(Value::int(1)),
            after: Some(after),
            sensitive: false,
            ty: Type::Number,
        };
        plan.outputs.insert("x".into(), output);
        plan
    };
    let [one, two, three] = [1, 2, 3].map(|n| effect(&with(Value::int(n)), &key()).unwrap());
    assert!(one.parts.is_empty());
    assert_eq!(two.differences(&three), ["output.x"]);
    assert_eq!(one.differences(&two), ["output.x"]);
    let marked = effect(&with(Value::int(2).with_marks(Marks::SENSITIVE)), &key()).unwrap();
    assert_ne!(marked.digest, two.digest);
}

#[test]
fn a_digest_reads_back() {
    let text = digest(&full().plan).to_string();
    assert_eq!(EffectDigest::parse(&text).unwrap().to_string(), text);
    assert_eq!(EffectDigest::parse(&text.replace("ef1", "pl1")), None);
}
