//! Random strings and passwords.

use std::collections::BTreeMap;

use plumb_model::{Diagnostic, Diagnostics};
use plumb_provider_sdk::check::at_least;
use plumb_provider_sdk::{Attr, Checks, Context, Failed, Model, Planning, Resource, async_trait};
use rand::Rng as _;
use rand::seq::SliceRandom as _;
use serde_json::{Map, Value as Json, json};

use super::{Keepers, generator, keepers_differ, text_differs};

const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const NUMERIC: &str = "0123456789";
const SPECIAL: &str = "!@#$%&*()-_=+[]{}<>:?";

/// More would be a mistake.
const MAX_LENGTH: i64 = 1 << 20;

/// Which characters a text has.
struct Spec {
    length: i64,
    upper: bool,
    lower: bool,
    numeric: bool,
    special: bool,
    min_upper: i64,
    min_lower: i64,
    min_numeric: i64,
    min_special: i64,
    override_special: String,
}

impl Spec {
    /// Of each class at least as many as wanted, the rest of all classes, in random order.
    fn draw(&self) -> Result<String, Diagnostics> {
        let special = match self.override_special.as_str() {
            "" => SPECIAL,
            special => special,
        };
        let classes = [
            (UPPER, self.upper, self.min_upper),
            (LOWER, self.lower, self.min_lower),
            (NUMERIC, self.numeric, self.min_numeric),
            (special, self.special, self.min_special),
        ];
        let mut generator = generator(&Attr::Null);
        let mut text: Vec<char> = Vec::new();
        for (class, _, min) in classes {
            let class: Vec<char> = class.chars().collect();
            for _ in 0..min.clamp(0, MAX_LENGTH) {
                text.push(class[generator.random_range(0..class.len())]);
            }
        }
        let all: Vec<char> =
            classes.iter().filter(|(_, used, _)| *used).flat_map(|(class, _, _)| class.chars()).collect();
        let rest = self.length.min(MAX_LENGTH) - text.len() as i64;
        if rest < 0 || (rest > 0 && all.is_empty()) {
            return Err(Diagnostic::error("impossible-text", "No text can be chosen")
                .detail("Found requirements that no text fulfils, wanted room for the minima and at least one class.")
                .into());
        }
        for _ in 0..rest {
            text.push(all[generator.random_range(0..all.len())]);
        }
        text.shuffle(&mut generator);
        Ok(text.into_iter().collect())
    }
}

/// The attributes that strings and passwords share, and what they do with them.
macro_rules! text_model {
    (
        $(#[doc = $about:literal])*
        $name:ident, $result:ident [ $($flags:tt)* ], $more:ident { $($other:tt)* }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, Default, PartialEq, Model)]
        pub struct $name {
            /// Arbitrary values. When one changes, another text is chosen.
            #[attribute(optional, requires_replace_if = keepers_differ)]
            pub keepers: Attr<Keepers>,
            /// How many characters, at least the sum of the minima.
            #[attribute(required, requires_replace)]
            pub length: Attr<i64>,
            /// Whether there may be `A` to `Z`.
            #[attribute(default = true, requires_replace)]
            pub upper: Attr<bool>,
            /// Whether there may be `a` to `z`.
            #[attribute(default = true, requires_replace)]
            pub lower: Attr<bool>,
            /// Whether there may be `0` to `9`. `true` where it is not set.
            #[attribute(optional, computed, requires_replace)]
            pub numeric: Attr<bool>,
            /// The same as `numeric`.
            #[attribute(optional, computed, requires_replace, deprecated = "Use `numeric` in its place.")]
            pub number: Attr<bool>,
            /// Whether there may be one of `!@#$%&*()-_=+[]{}<>:?`.
            #[attribute(default = true, requires_replace)]
            pub special: Attr<bool>,
            /// How many of `A` to `Z` there are at least.
            #[attribute(default = 0, requires_replace)]
            pub min_upper: Attr<i64>,
            /// How many of `a` to `z` there are at least.
            #[attribute(default = 0, requires_replace)]
            pub min_lower: Attr<i64>,
            /// How many of `0` to `9` there are at least.
            #[attribute(default = 0, requires_replace)]
            pub min_numeric: Attr<i64>,
            /// How many special characters there are at least.
            #[attribute(default = 0, requires_replace)]
            pub min_special: Attr<i64>,
            /// Other special characters in place of the usual ones.
            #[attribute(optional, requires_replace_if = text_differs)]
            pub override_special: Attr<String>,
            $($other)*
            /// The text.
            #[attribute($($flags)*)]
            pub result: Attr<String>,
        }

        impl $name {
            fn spec(&self) -> Spec {
                let number = |n: &Attr<i64>| n.known().copied().unwrap_or(0);
                let flag = |f: &Attr<bool>| f.known().copied().unwrap_or(true);
                Spec {
                    length: number(&self.length),
                    upper: flag(&self.upper),
                    lower: flag(&self.lower),
                    numeric: flag(&self.numeric),
                    special: flag(&self.special),
                    min_upper: number(&self.min_upper),
                    min_lower: number(&self.min_lower),
                    min_numeric: number(&self.min_numeric),
                    min_special: number(&self.min_special),
                    override_special: self.override_special.text().to_owned(),
                }
            }

            fn check(&self, checks: &mut Checks) {
                check_text(checks, &self.length, &[
                    ("min_upper", &self.min_upper),
                    ("min_lower", &self.min_lower),
                    ("min_numeric", &self.min_numeric),
                    ("min_special", &self.min_special),
                ]);
                if let (Some(a), Some(b)) = (self.numeric.known(), self.number.known()) && a != b {
                    checks.error("number", "Found another value than `numeric` has, wanted only one of them.");
                }
                let off = |f: &Attr<bool>| f.known() == Some(&false);
                let numeric = off(&self.numeric) || off(&self.number);
                if off(&self.upper) && off(&self.lower) && numeric && off(&self.special) {
                    checks.error("special", "Found no class of characters, wanted at least one to be `true`.");
                }
            }

            /// What an object of this text is like by default.
            fn of(text: &str) -> $name {
                $name {
                    length: (text.chars().count() as i64).into(),
                    upper: true.into(),
                    lower: true.into(),
                    numeric: true.into(),
                    number: true.into(),
                    special: true.into(),
                    min_upper: 0.into(),
                    min_lower: 0.into(),
                    min_numeric: 0.into(),
                    min_special: 0.into(),
                    result: text.into(),
                    ..$name::default()
                }
            }
        }
    };
}

fn check_text(checks: &mut Checks, length: &Attr<i64>, minima: &[(&str, &Attr<i64>)]) {
    for (name, min) in minima {
        checks.attribute(name, min, at_least(0));
    }
    let sum = minima.iter().filter_map(|(_, min)| min.known()).fold(0i64, |a, b| a.saturating_add(*b));
    checks.attribute("length", length, |length| {
        if *length > MAX_LENGTH {
            Err(format!("Found {length}, wanted at most {MAX_LENGTH}."))
        } else if *length < sum.max(1) {
            Err(format!("Found {length}, wanted at least 1 and at least {sum}, the sum of the minima."))
        } else {
            Ok(())
        }
    });
}

/// `numeric` and `number` are one.
fn plan_numeric(plan: &mut Planning<'_>) {
    let (numeric, number) = (plan.config_value("numeric"), plan.config_value("number"));
    let value = match (numeric.is_null(), number.is_null()) {
        (false, _) => numeric.clone(),
        (true, false) => number.clone(),
        (true, true) => true.into(),
    };
    for name in ["numeric", "number"] {
        if plan.config_value(name).is_null() {
            plan.set(name, value.clone());
        }
    }
}

/// Fills in what earlier versions did not keep.
fn upgrade_text(mut state: Map<String, Json>) -> Map<String, Json> {
    let length = state.get("result").and_then(Json::as_str).map_or(0, |text| text.chars().count());
    let number = state.get("number").cloned().filter(|n| !n.is_null()).unwrap_or(json!(true));
    let defaults = BTreeMap::from([
        ("length", json!(length)),
        ("upper", json!(true)),
        ("lower", json!(true)),
        ("special", json!(true)),
        ("number", number.clone()),
        ("numeric", number),
        ("min_upper", json!(0)),
        ("min_lower", json!(0)),
        ("min_numeric", json!(0)),
        ("min_special", json!(0)),
    ]);
    for (name, default) in defaults {
        let value = state.entry(name).or_insert(Json::Null);
        if value.is_null() {
            *value = default;
        }
    }
    state
}

text_model! {
    /// A random text. For secrets, there is `random_password`.
    ///
    /// Import by the text.
    Text, result [computed, use_state_for_unknown, not_null], more {
        /// The text.
        #[attribute(computed, use_state_for_unknown, not_null)]
        pub id: Attr<String>,
    }
}

pub(super) struct RandomString;

#[async_trait]
impl Resource for RandomString {
    type Model = Text;
    type Client = ();

    fn version(&self) -> i64 {
        2
    }

    fn validate(&self, config: &Text, checks: &mut Checks) {
        config.check(checks);
    }

    async fn plan(&self, plan: &mut Planning<'_>, _: &mut Context<()>) -> Result<(), Diagnostics> {
        plan_numeric(plan);
        Ok(())
    }

    async fn create(&self, planned: Text, _: &mut Context<()>) -> Result<Text, Failed<Text>> {
        let text = planned.spec().draw()?;
        Ok(Text { id: text.clone().into(), result: text.into(), ..planned })
    }

    async fn import(&self, id: &str, _: &mut Context<()>) -> Result<Text, Diagnostics> {
        Ok(Text { id: id.into(), ..Text::of(id) })
    }

    fn upgrade(&self, _: i64, state: Map<String, Json>) -> Result<Map<String, Json>, Diagnostics> {
        Ok(upgrade_text(state))
    }
}

text_model! {
    /// A random text that is never shown.
    ///
    /// Import by the text.
    Password, result [computed, use_state_for_unknown, not_null, sensitive], more {
        /// Always `none`.
        #[attribute(computed, use_state_for_unknown, not_null)]
        pub id: Attr<String>,
        /// A bcrypt hash of the text, or of its first 72 bytes.
        #[attribute(computed, use_state_for_unknown, not_null, sensitive)]
        pub bcrypt_hash: Attr<String>,
    }
}

/// A salted hash; slow on purpose.
async fn bcrypt_hash(text: &str) -> Result<String, Diagnostics> {
    let mut end = text.len().min(72);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let bytes = text.as_bytes()[..end].to_vec();
    let hash = crate::blocking(move || bcrypt::hash_with_result(bytes, 10)).await;
    match hash {
        Ok(hash) => Ok(hash.format_for_version(bcrypt::Version::TwoA)),
        Err(e) => Err(Diagnostic::error("no-hash", "Password cannot be hashed").detail(e.to_string()).into()),
    }
}

pub(super) struct RandomPassword;

#[async_trait]
impl Resource for RandomPassword {
    type Model = Password;
    type Client = ();

    fn version(&self) -> i64 {
        3
    }

    fn validate(&self, config: &Password, checks: &mut Checks) {
        config.check(checks);
    }

    async fn plan(&self, plan: &mut Planning<'_>, _: &mut Context<()>) -> Result<(), Diagnostics> {
        plan_numeric(plan);
        Ok(())
    }

    async fn create(&self, planned: Password, _: &mut Context<()>) -> Result<Password, Failed<Password>> {
        let text = planned.spec().draw()?;
        let hash = bcrypt_hash(&text).await?;
        Ok(Password { id: "none".into(), bcrypt_hash: hash.into(), result: text.into(), ..planned })
    }

    async fn import(&self, id: &str, _: &mut Context<()>) -> Result<Password, Diagnostics> {
        let hash = bcrypt_hash(id).await?;
        Ok(Password { id: "none".into(), bcrypt_hash: hash.into(), ..Password::of(id) })
    }

    async fn read(&self, current: Password, _: &mut Context<()>) -> Result<Option<Password>, Diagnostics> {
        // State of the first versions has no hash.
        if current.bcrypt_hash.is_null() && current.result.is_set() {
            let hash = bcrypt_hash(current.result.text()).await?;
            return Ok(Some(Password { bcrypt_hash: hash.into(), ..current }));
        }
        Ok(Some(current))
    }

    fn upgrade(&self, _: i64, state: Map<String, Json>) -> Result<Map<String, Json>, Diagnostics> {
        Ok(upgrade_text(state))
    }
}
