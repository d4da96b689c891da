//! What of an object is not known, and objects of which parts are not known yet.

use plumb_model::{Block, Path, Value};

use super::propose::proposed;

/// What stands for the result of a data source that cannot be read yet: the configuration, with everything unknown that
/// the provider will choose. In terms of plugin protocol 6, the proposed new state of a prior state of which nothing is
/// known.
pub fn set_unknown_for_computed(schema: &Block, config: &Value) -> Value {
    proposed(schema, &Value::unknown(schema.implied_type()), config)
}

/// The paths of the outermost unknown parts, in order. A set with unknown parts is named once, as a whole.
pub fn unknown_paths(value: &Value) -> Vec<Path> {
    let mut found = Vec::new();
    value.walk(&mut |path, part| {
        let unknown = match part {
            Value::Unknown(_) => true,
            Value::Set(_) => !part.is_wholly_known(),
            _ => false,
        };
        if unknown {
            found.push(path.clone());
        }
        !unknown && !matches!(part, Value::Set(_))
    });
    found
}

/// The value with null in place of every unknown part: what is kept of an outcome that a provider left partly unknown.
pub fn unknown_as_null(value: &Value) -> Value {
    value.rebuild(&mut |part| match part {
        Value::Unknown(unknown) => Value::Null(unknown.ty.clone()),
        known => known.clone(),
    })
}

#[cfg(test)]
mod tests {
    use plumb_model::{Nesting, Type};

    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_data_source_that_is_not_read_has_its_configuration_and_unknown_results() {
        let inner = || Block::of([("v", optional()), ("id", computed())]);
        let schema = Block::of([("name", optional()), ("id", computed()), ("zone", optional_computed())])
            .block("list", many(Nesting::List, inner()))
            .block("set", many(Nesting::Set, inner()))
            .block("single", many(Nesting::Single, inner()))
            .block("group", many(Nesting::Group, inner()));
        let object = |v: Value, id: Value| obj([("v", v), ("id", id)]);
        let with = |id: &dyn Fn() -> Value, zone: Value| {
            obj([
                ("name", null()),
                ("id", id()),
                ("zone", zone),
                ("list", list([object(s("a"), id())])),
                ("set", set([object(s("b"), id())])),
                ("single", null()),
                ("group", object(null(), id())),
            ])
        };
        assert_same(&set_unknown_for_computed(&schema, &with(&null, s("z"))), &with(&unknown, s("z")));
        assert_same(&set_unknown_for_computed(&schema, &with(&null, null())), &with(&unknown, unknown()));
    }

    #[test]
    fn unknown_parts_are_named_by_the_outermost_path() {
        let value = obj([
            ("a", unknown()),
            ("b", list([s("x"), unknown()])),
            ("c", set([obj([("x", unknown())]), obj([("x", s("1"))])])),
            ("d", map([("k", tuple([unknown()]))])),
            ("e", set([s("x")])),
        ]);
        let paths: Vec<_> = unknown_paths(&value).iter().map(Path::to_string).collect();
        assert_eq!(paths, ["a", "b[1]", "c", r#"d["k"][0]"#]);
    }

    #[test]
    fn unknown_parts_are_kept_as_null() {
        let value = obj([("a", unknown()), ("b", list([s("x"), unknown()]))]);
        let kept = obj([("a", Value::Null(Type::String)), ("b", list([s("x"), Value::Null(Type::String)]))]);
        assert_eq!(unknown_as_null(&value), kept);
    }
}
