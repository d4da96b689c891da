//! Random values keep their constraints and stay until something says otherwise.

use base64::Engine as _;
use plumb_model::{Path, Type, Value};
use plumb_provider_builtin::lookup;
use plumb_provider_sdk::harness::{Harness, Object};
use proptest::prelude::*;

async fn harness() -> Harness {
    Harness::new(lookup("random").unwrap()).await.unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

async fn create(kind: &str, arguments: &[(&str, Value)]) -> Object {
    harness().await.create(kind, arguments).await.unwrap()
}

fn keepers(value: &str) -> (&'static str, Value) {
    ("keepers", Value::map(Type::String, [("k".into(), value.into())]))
}

fn required(kind: &str) -> Vec<(&'static str, Value)> {
    match kind {
        "random_id" => vec![("byte_length", Value::int(4))],
        "random_bytes" => vec![("length", Value::int(4))],
        "random_string" | "random_password" => vec![("length", Value::int(12))],
        "random_integer" => vec![("min", Value::int(1)), ("max", Value::int(1 << 40))],
        "random_shuffle" => vec![("input", Value::list(Type::String, vec!["a".into(), "b".into()]))],
        _ => Vec::new(),
    }
}

const KINDS: [&str; 8] = [
    "random_bytes",
    "random_id",
    "random_integer",
    "random_password",
    "random_pet",
    "random_shuffle",
    "random_string",
    "random_uuid",
];

#[tokio::test]
async fn values_stay_until_a_keeper_changes() {
    let harness = harness().await;
    for kind in KINDS {
        let arguments = [required(kind), vec![keepers("1")]].concat();
        let object = harness.create(kind, &arguments).await.unwrap();
        assert_eq!(harness.read(&object).await.unwrap().unwrap(), object);
        assert!(harness.plan(kind, Some(&object), &arguments).await.unwrap().is_no_op(), "{kind}");
        let other = [required(kind), vec![keepers("2")]].concat();
        let forecast = harness.plan(kind, Some(&object), &other).await.unwrap();
        assert_eq!(forecast.requires_replace, [Path::of("keepers")], "{kind}");

        let without = harness.create(kind, &required(kind)).await.unwrap();
        let null = Value::map(Type::String, [("k".into(), Value::Null(Type::String))]);
        let with_null = [required(kind), vec![("keepers", null)]].concat();
        let changed = harness.plan(kind, Some(&without), &with_null).await.unwrap();
        assert!(!changed.is_replacement() && changed.planned.is_wholly_known(), "{kind}");
    }
}

#[tokio::test]
async fn an_id_has_many_spellings() {
    let id = create("random_id", &[("byte_length", Value::int(8)), ("prefix", "web-".into())]).await;
    let bytes = hex::decode(id.text("hex").strip_prefix("web-").unwrap()).unwrap();
    assert_eq!(bytes.len(), 8);
    assert_eq!(
        base64::engine::general_purpose::STANDARD.encode(&bytes),
        id.text("b64_std").strip_prefix("web-").unwrap()
    );
    assert_eq!(id.text("b64_url"), format!("web-{}", id.text("id")));
    let number = u64::from_be_bytes(bytes.try_into().unwrap());
    assert_eq!(id.text("dec"), format!("web-{number}"));
    let imported = harness().await.import("random_id", &format!("web-,{}", id.text("id"))).await.unwrap();
    assert_eq!(imported.state, id.state);
}

#[tokio::test]
async fn imports_give_what_was_exported() {
    let harness = harness().await;
    for (kind, attribute) in [
        ("random_uuid", "id"),
        ("random_string", "result"),
        ("random_bytes", "base64"),
        ("random_password", "result"),
    ] {
        let object = harness.create(kind, &required(kind)).await.unwrap();
        let imported = harness.import(kind, object.text(attribute)).await.unwrap();
        assert_eq!(imported.text(attribute), object.text(attribute));
        assert!(harness.plan(kind, Some(&imported), &required(kind)).await.unwrap().is_no_op(), "{kind}");
    }
    let integer = harness.import("random_integer", "5,1,9,seed").await.unwrap();
    assert_eq!((integer.get("result"), integer.text("seed")), (&Value::int(5), "seed"));
    for (kind, id) in
        [("random_uuid", "x"), ("random_integer", "1,2"), ("random_bytes", "%"), ("random_id", "é")]
    {
        assert!(harness.import(kind, id).await.is_err(), "{kind}");
    }
}

#[tokio::test]
async fn a_seed_decides() {
    let arguments = [("min", Value::int(0)), ("max", Value::int(i64::MAX)), ("seed", "s".into())];
    let (a, b) = (create("random_integer", &arguments).await, create("random_integer", &arguments).await);
    assert_eq!(a.get("result"), b.get("result"));
}

#[tokio::test]
async fn a_password_is_hidden_and_hashed() {
    let harness = harness().await;
    let schema = harness.provider().schema().await.unwrap();
    let attributes = &schema.resources["random_password"].block.attributes;
    assert!(attributes["result"].sensitive && attributes["bcrypt_hash"].sensitive);
    let password = create("random_password", &[("length", Value::int(100))]).await;
    assert_eq!(password.text("result").len(), 100);
    assert!(bcrypt::verify(&password.text("result").as_bytes()[..72], password.text("bcrypt_hash")).unwrap());
}

#[tokio::test]
async fn numeric_and_number_are_one() {
    let length = ("length", Value::int(200));
    let harness = harness().await;
    let string = create("random_string", &[length.clone(), ("number", false.into())]).await;
    assert_eq!(string.get("numeric"), &Value::Bool(false));
    assert!(!string.text("result").contains(|c: char| c.is_ascii_digit()));
    let both = [length.clone(), ("number", false.into()), ("numeric", true.into())];
    assert!(harness.validate("random_string", &both).await.unwrap().has_errors());
}

#[tokio::test]
async fn old_state_is_read() {
    let old = r#"{"id":"none","result":"secret","number":false,"keepers":null}"#;
    let harness = harness().await;
    let password = harness.upgrade("random_password", 0, old).await.unwrap();
    assert_eq!(password.get("length"), &Value::int(6));
    assert_eq!(password.get("numeric"), &Value::Bool(false));
    let password = harness.read(&password).await.unwrap().unwrap();
    assert!(bcrypt::verify("secret", password.text("bcrypt_hash")).unwrap());
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let harness = harness().await;
    let none = [("upper", false), ("lower", false), ("numeric", false), ("special", false)];
    let none: Vec<_> = none.iter().map(|(n, v)| (*n, Value::Bool(*v))).collect();
    for (kind, arguments) in [
        ("random_id", vec![("byte_length", Value::int(0))]),
        ("random_id", vec![("byte_length", Value::int(-1))]),
        ("random_integer", vec![("min", Value::int(2)), ("max", Value::int(1))]),
        ("random_string", vec![("length", Value::int(0))]),
        ("random_string", vec![("length", Value::int(3)), ("min_upper", Value::int(4))]),
        ("random_string", [vec![("length", Value::int(3))], none].concat()),
        ("random_pet", vec![("length", Value::int(0))]),
        ("random_bytes", vec![("length", Value::int(i64::MAX))]),
    ] {
        assert!(harness.validate(kind, &arguments).await.unwrap().has_errors(), "{kind} {arguments:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn strings_fulfil_their_minima(
        upper in 0i64..5, lower in 0i64..5, numeric in 0i64..5, special in 0i64..5, more in 1i64..20,
        own in prop::option::of("[é_~]{1,3}"),
    ) {
        let length = upper + lower + numeric + special + more;
        let mut arguments = vec![
            ("length", Value::int(length)),
            ("min_upper", Value::int(upper)),
            ("min_lower", Value::int(lower)),
            ("min_numeric", Value::int(numeric)),
            ("min_special", Value::int(special)),
        ];
        arguments.extend(own.as_ref().map(|own| ("override_special", Value::from(own.as_str()))));
        let string = block_on(create("random_string", &arguments));
        let count = |f: &dyn Fn(char) -> bool| string.text("result").chars().filter(|c| f(*c)).count() as i64;
        let set = own.unwrap_or("!@#$%&*()-_=+[]{}<>:?".into());
        prop_assert_eq!(count(&|_| true), length);
        prop_assert!(count(&|c| c.is_ascii_uppercase()) >= upper);
        prop_assert!(count(&|c| c.is_ascii_lowercase()) >= lower);
        prop_assert!(count(&|c| c.is_ascii_digit()) >= numeric);
        prop_assert!(count(&|c| set.contains(c)) >= special);
        prop_assert!(count(&|c| !c.is_ascii_alphanumeric() && !set.contains(c)) == 0);
    }

    #[test]
    fn integers_are_within_their_range(a in any::<i64>(), b in any::<i64>()) {
        let (min, max) = (a.min(b), a.max(b));
        let arguments = [("min", Value::int(min)), ("max", Value::int(max))];
        let integer = block_on(create("random_integer", &arguments));
        let result = integer.get("result").as_number().unwrap().to_i64().unwrap();
        prop_assert!((min..=max).contains(&result));
        prop_assert_eq!(integer.text("id"), result.to_string());
    }

    #[test]
    fn shuffles_take_each_element_equally_often(n in 1usize..8, count in prop::option::of(1i64..40)) {
        let input: Vec<Value> = (0..n).map(|i| Value::from(i.to_string())).collect();
        let mut arguments = vec![("input", Value::list(Type::String, input.clone()))];
        arguments.extend(count.map(|count| ("result_count", Value::int(count))));
        let shuffle = block_on(create("random_shuffle", &arguments));
        let result = shuffle.get("result").as_items().unwrap();
        let wanted = count.map_or(n, |c| c as usize);
        prop_assert_eq!(result.len(), wanted);
        for item in &input {
            let times = result.iter().filter(|r| *r == item).count();
            prop_assert!(times == wanted / n || times == wanted / n + 1);
        }
    }

    #[test]
    fn pets_have_as_many_words_as_asked(length in 1i64..6, prefix in any::<bool>()) {
        let mut arguments = vec![("length", Value::int(length)), ("separator", "/".into())];
        arguments.extend(prefix.then(|| ("prefix", Value::from("my"))));
        let pet = block_on(create("random_pet", &arguments));
        prop_assert_eq!(pet.text("id").split('/').count() as i64, length + i64::from(prefix));
    }
}
