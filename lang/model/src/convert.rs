//! Conversion of values between types.
//!
//! [`convert`] is the one table of conversions: it serves the arguments of functions, the operands of operators, the
//! values of variables and the attributes of resources. A target may contain [`Type::Dynamic`] as a placeholder: what
//! stands in its place becomes what the value has there, and inside a collection what its elements unify to.
//!
//! A result is always wholly of one concrete type, marks stay where they were, nulls become nulls of the target type
//! and unknown values keep what is known of them as far as it still holds.
//!
//! Cost: a value that is of the type already is returned as it is, and a collection is recognised by its element type
//! alone, so that passing a large collection on costs nothing.

use std::collections::BTreeSet;
use std::fmt;

use ecow::EcoString;

use crate::number::Number;
use crate::path::{Path, Step};
use crate::types::{ObjectType, Type};
use crate::unify::unify;
use crate::value::{Entries, Refinement, Unknown, Value};

/// Why a value is not, and cannot become, a value of a type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConvertError {
    /// Where in the value.
    pub path: Path,
    /// What is wanted there: `a number is required`.
    pub problem: String,
}

impl fmt::Display for ConvertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_root() {
            f.write_str(&self.problem)
        } else {
            write!(f, "{}: {}", self.path, self.problem)
        }
    }
}

impl ConvertError {
    fn new(problem: impl Into<String>) -> ConvertError {
        ConvertError { path: Path::root(), problem: problem.into() }
    }

    fn within(mut self, step: Step) -> ConvertError {
        self.path.0.insert(0, step);
        self
    }
}

/// The value as a value of the type.
///
/// [`Type::Dynamic`] takes any value as it is. Attributes that an object type does not have are dropped, those marked
/// optional may be missing and are then null.
///
/// # Errors
/// If there is no conversion from the type of the value, or this value is not one that it is defined for.
pub fn convert(value: &Value, ty: &Type) -> Result<Value, ConvertError> {
    if is_of(value, ty) || *ty == Type::Dynamic {
        return Ok(value.clone());
    }
    let (inner, marks) = value.unmark();
    let converted = match (inner, ty) {
        (Value::Null(from), _) => Value::Null(result_type(from, ty).ok_or_else(|| mismatch(from, ty))?),
        (Value::Unknown(unknown), _) => convert_unknown(unknown, ty)?,
        (_, Type::Bool | Type::Number | Type::String) => convert_primitive(inner, ty)?,
        (_, Type::List(element)) => convert_sequence(inner, ty, element, Type::list)?,
        (_, Type::Set(element)) => convert_sequence(inner, ty, element, Type::set)?,
        (_, Type::Map(element)) => convert_map(inner, ty, element)?,
        (Value::Tuple(items), Type::Tuple(types)) if items.len() == types.len() => Value::tuple(
            items
                .iter()
                .zip(types.iter())
                .enumerate()
                .map(|(i, (item, ty))| convert(item, ty).map_err(|e| e.within(Step::Index(i))))
                .collect::<Result<_, _>>()?,
        ),
        (Value::Object(entries), Type::Object(object)) => {
            convert_object(entries, object, |name| Step::Attribute(name.clone()))?
        }
        (Value::Map(map), Type::Object(object)) => {
            convert_object(&map.entries, object, |name| Step::Key(name.clone()))?
        }
        _ => return Err(mismatch(&inner.ty(), ty)),
    };
    Ok(converted.with_marks(marks))
}

/// Whether there is a conversion between the types. It may still be undefined for a particular value: strings convert
/// to numbers, but not every string does.
pub fn can_convert(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Dynamic, _) | (_, Type::Dynamic) => true,
        (Type::Bool | Type::Number | Type::String, Type::String) => true,
        (Type::String | Type::Number, Type::Number) | (Type::String | Type::Bool, Type::Bool) => true,
        (Type::List(from) | Type::Set(from), Type::List(to) | Type::Set(to)) => can_convert(from, to),
        (Type::Map(from), Type::Map(to)) => can_convert(from, to),
        (Type::Tuple(members), Type::List(to) | Type::Set(to)) => common_type(members.iter(), to).is_some(),
        (Type::Object(object), Type::Map(to)) => common_type(object.attributes.values(), to).is_some(),
        (Type::Tuple(from), Type::Tuple(to)) => {
            from.len() == to.len() && from.iter().zip(to.iter()).all(|(from, to)| can_convert(from, to))
        }
        (Type::Object(from), Type::Object(to)) => {
            to.attributes.iter().all(|(name, to_attribute)| match from.attributes.get(name) {
                Some(attribute) => can_convert(attribute, to_attribute),
                None => to.optional.contains(name),
            })
        }
        (Type::Map(from), Type::Object(to)) => to.attributes.values().all(|to| can_convert(from, to)),
        _ => false,
    }
}

/// What [`Type::Dynamic`] parts of a target become for a value of a type; `None` if there is no conversion.
pub fn result_type(from: &Type, to: &Type) -> Option<Type> {
    if !can_convert(from, to) {
        return None;
    }
    Some(match (from, to) {
        (_, Type::Dynamic) => from.clone(),
        (_, to) if !to.has_dynamic() => to.without_optional(),
        (Type::List(from) | Type::Set(from), Type::List(to)) => Type::list(result_type(from, to)?),
        (Type::List(from) | Type::Set(from), Type::Set(to)) => Type::set(result_type(from, to)?),
        (Type::Map(from), Type::Map(to)) => Type::map(result_type(from, to)?),
        (Type::Tuple(members), Type::List(to)) => Type::list(common_type(members.iter(), to)?),
        (Type::Tuple(members), Type::Set(to)) => Type::set(common_type(members.iter(), to)?),
        (Type::Object(object), Type::Map(to)) => Type::map(common_type(object.attributes.values(), to)?),
        (Type::Tuple(from), Type::Tuple(to)) => Type::tuple(
            from.iter().zip(to.iter()).map(|(from, to)| result_type(from, to)).collect::<Option<Vec<_>>>()?,
        ),
        (Type::Object(from), Type::Object(to)) => {
            object_result(to, |name| from.attributes.get(name)).map(Type::object)?
        }
        (Type::Map(from), Type::Object(to)) => object_result(to, |_| Some(from)).map(Type::object)?,
        (_, to) => to.without_optional(),
    })
}

fn object_result<'t>(
    to: &ObjectType,
    from: impl Fn(&EcoString) -> Option<&'t Type>,
) -> Option<Vec<(EcoString, Type)>> {
    to.attributes
        .iter()
        .map(|(name, to)| {
            let ty = match from(name) {
                Some(from) => result_type(from, to)?,
                None => to.without_optional(),
            };
            Some((name.clone(), ty))
        })
        .collect()
}

/// The one type that members of these types have as elements of a collection of `to`.
fn common_type<'t>(members: impl Iterator<Item = &'t Type>, to: &Type) -> Option<Type> {
    let distinct: BTreeSet<&Type> = members.collect();
    let types =
        distinct.into_iter().map(|member| result_type(member, to)).collect::<Option<BTreeSet<Type>>>()?;
    if types.is_empty() {
        return Some(to.without_optional());
    }
    unify(&types.into_iter().collect::<Vec<_>>())
}

/// Whether a value is of exactly a type already, as far as can be seen without looking at elements of collections.
pub fn is_of(value: &Value, ty: &Type) -> bool {
    match (value, ty) {
        (Value::Null(from), ty) => from == ty && !has_optional(ty),
        (Value::Unknown(unknown), ty) => unknown.ty == *ty && !has_optional(ty),
        (Value::Bool(_), Type::Bool)
        | (Value::Number(_), Type::Number)
        | (Value::String(_), Type::String) => true,
        (Value::List(s), Type::List(element)) | (Value::Set(s), Type::Set(element)) => s.element == **element,
        (Value::Map(map), Type::Map(element)) => map.element == **element,
        (Value::Tuple(items), Type::Tuple(types)) => {
            items.len() == types.len() && items.iter().zip(types.iter()).all(|(item, ty)| is_of(item, ty))
        }
        (Value::Object(entries), Type::Object(object)) => {
            entries.len() == object.attributes.len()
                && entries
                    .iter()
                    .zip(&object.attributes)
                    .all(|((n, value), (name, ty))| n == name && is_of(value, ty))
        }
        (Value::Marked(marked), ty) => is_of(&marked.value, ty),
        _ => false,
    }
}

fn has_optional(ty: &Type) -> bool {
    match ty {
        Type::Dynamic | Type::Bool | Type::Number | Type::String => false,
        Type::List(element) | Type::Set(element) | Type::Map(element) => has_optional(element),
        Type::Tuple(members) => members.iter().any(has_optional),
        Type::Object(object) => !object.optional.is_empty() || object.attributes.values().any(has_optional),
    }
}

fn mismatch(from: &Type, to: &Type) -> ConvertError {
    let missing = |names: Vec<&EcoString>| match names.as_slice() {
        [] => None,
        [name] => Some(format!("attribute {name:?} is required")),
        names => Some(format!(
            "attributes {} are required",
            names.iter().map(|n| format!("{n:?}")).collect::<Vec<_>>().join(", ")
        )),
    };
    let problem = match (from, to) {
        (Type::Object(from), Type::Object(to)) => missing(
            to.attributes
                .keys()
                .filter(|name| !to.optional.contains(*name) && !from.attributes.contains_key(*name))
                .collect(),
        ),
        (Type::Tuple(from), Type::Tuple(to)) if from.len() != to.len() => {
            Some(format!("a tuple of {} elements is required, not of {}", to.len(), from.len()))
        }
        (Type::Tuple(_), Type::List(to)) if to.has_dynamic() => {
            Some("all list elements must have the same type".to_owned())
        }
        (Type::Tuple(_), Type::Set(to)) if to.has_dynamic() => {
            Some("all set elements must have the same type".to_owned())
        }
        (Type::Object(_), Type::Map(to)) if to.has_dynamic() => {
            Some("all map elements must have the same type".to_owned())
        }
        _ => None,
    };
    ConvertError::new(problem.unwrap_or_else(|| format!("{} required", to.friendly_name())))
}

fn convert_primitive(value: &Value, ty: &Type) -> Result<Value, ConvertError> {
    Ok(match (value, ty) {
        (Value::Bool(value), Type::String) => Value::String(if *value { "true" } else { "false" }.into()),
        (Value::Number(number), Type::String) => Value::String(ecow::eco_format!("{number}")),
        (Value::String(text), Type::Number) => {
            Value::Number(Number::parse(text).map_err(|_| ConvertError::new("a number is required"))?)
        }
        (Value::String(text), Type::Bool) => Value::Bool(match text.as_str() {
            "true" | "1" => true,
            "false" | "0" => false,
            "True" | "TRUE" | "False" | "FALSE" => {
                let lower = text.to_lowercase();
                return Err(ConvertError::new(format!(
                    "a bool is required; to convert from string, use lowercase {lower:?}"
                )));
            }
            _ => return Err(ConvertError::new("a bool is required")),
        }),
        _ => return Err(mismatch(&value.ty(), ty)),
    })
}

fn value_element(value: &Value) -> Option<&Type> {
    match value {
        Value::List(s) | Value::Set(s) => Some(&s.element),
        Value::Map(map) => Some(&map.element),
        _ => None,
    }
}

/// To a list or a set: `make` tells which.
fn convert_sequence(
    value: &Value,
    ty: &Type,
    element: &Type,
    make: fn(Type) -> Type,
) -> Result<Value, ConvertError> {
    let (items, known_element) = match value {
        Value::List(s) | Value::Set(s) => (&s.items, result_type(&s.element, element)),
        Value::Tuple(items) => (&**items, None),
        _ => return Err(mismatch(&value.ty(), ty)),
    };
    if let (Some(known), Some(from)) = (&known_element, value_element(value))
        && known == from
        && matches!((value, ty), (Value::List(_), Type::List(_)) | (Value::Set(_), Type::Set(_)))
    {
        return Ok(value.clone());
    }
    let is_set = matches!(value, Value::Set(_));
    let step = |i: usize| if is_set { Step::Any } else { Step::Index(i) };
    let mut converted = items
        .iter()
        .enumerate()
        .map(|(i, item)| convert(item, element).map_err(|e| e.within(step(i))))
        .collect::<Result<Vec<_>, _>>()?;
    let element = match known_element {
        Some(known) if !known.has_dynamic() || items.is_empty() => known,
        _ if !element.has_dynamic() => element.without_optional(),
        _ => {
            if items.is_empty() {
                element.without_optional()
            } else {
                let types = distinct_types(&converted);
                let Some((unified, all)) = one_type(&converted, &types) else {
                    return undecided(&converted, make(Type::Dynamic))
                        .ok_or_else(|| mismatch(&value.ty(), ty));
                };
                converted = all;
                unified
            }
        }
    };
    Ok(match make(Type::Dynamic) {
        Type::List(_) => Value::list(element, converted),
        _ => Value::set(element, converted),
    })
}

fn convert_map(value: &Value, ty: &Type, element: &Type) -> Result<Value, ConvertError> {
    let (entries, known_element, is_map) = match value {
        Value::Map(map) => (&map.entries, result_type(&map.element, element), true),
        Value::Object(entries) => (&**entries, None, false),
        _ => return Err(mismatch(&value.ty(), ty)),
    };
    if is_map && known_element.is_some() && known_element.as_ref() == value_element(value) {
        return Ok(value.clone());
    }
    let step =
        |name: &EcoString| if is_map { Step::Key(name.clone()) } else { Step::Attribute(name.clone()) };
    let mut converted = entries
        .iter()
        .map(|(name, value)| convert(value, element).map_err(|e| e.within(step(name))))
        .collect::<Result<Vec<_>, _>>()?;
    let element = match known_element {
        Some(known) if !known.has_dynamic() || entries.is_empty() => known,
        _ if entries.is_empty() || !element.has_dynamic() => element.without_optional(),
        _ => {
            // An untyped null fits every element type, so it has no say in what that is.
            let mut types = distinct_types(&converted);
            if types.len() > 1 {
                types.remove(&Type::Dynamic);
            }
            let Some((unified, all)) = one_type(&converted, &types) else {
                return undecided(&converted, Type::map(Type::Dynamic))
                    .ok_or_else(|| mismatch(&value.ty(), ty));
            };
            converted = all;
            unified
        }
    };
    Ok(Value::map(element, entries.keys().cloned().zip(converted)))
}

fn distinct_types(values: &[Value]) -> BTreeSet<Type> {
    values.iter().map(Value::ty).collect()
}

/// Brings elements to the one type that their types unify to. Where that has a dynamic part, elements that have
/// something there cannot be of it.
fn one_type(values: &[Value], types: &BTreeSet<Type>) -> Option<(Type, Vec<Value>)> {
    let unified = unify(&types.iter().cloned().collect::<Vec<_>>())?;
    let values = values.iter().map(|value| convert(value, &unified)).collect::<Result<Vec<_>, _>>().ok()?;
    let uniform = !unified.has_dynamic() || values.iter().all(|value| is_of(value, &unified));
    uniform.then_some((unified, values))
}

/// The result if elements do not come to one type, but only because the type of one is not known yet.
fn undecided(values: &[Value], ty: Type) -> Option<Value> {
    let of_unknown_type =
        |value: &Value| matches!(value.unmarked(), Value::Unknown(unknown) if unknown.ty.has_dynamic());
    values.iter().any(of_unknown_type).then(|| Value::unknown_not_null(ty))
}

fn convert_object(
    entries: &Entries,
    object: &ObjectType,
    step: impl Fn(&EcoString) -> Step,
) -> Result<Value, ConvertError> {
    let mut missing = Vec::new();
    let mut converted = Vec::with_capacity(object.attributes.len());
    for (name, ty) in &object.attributes {
        let value = match entries.get(name) {
            Some(value) => convert(value, ty).map_err(|e| e.within(step(name)))?,
            None if object.optional.contains(name) => Value::Null(ty.without_optional()),
            None => {
                missing.push(format!("{name:?}"));
                continue;
            }
        };
        converted.push((name.clone(), value));
    }
    match missing.as_slice() {
        [] => Ok(Value::object(converted)),
        [name] => Err(ConvertError::new(format!("attribute {name} is required"))),
        names => Err(ConvertError::new(format!("attributes {} are required", names.join(", ")))),
    }
}

fn convert_unknown(unknown: &Unknown, ty: &Type) -> Result<Value, ConvertError> {
    let from = &unknown.ty;
    let result = result_type(from, ty).ok_or_else(|| mismatch(from, ty))?;
    if *from == Type::Dynamic {
        // The placeholder of the target is decided by a type that is not known either.
        let result = if ty.has_dynamic() { Type::Dynamic } else { result };
        let refinement = Refinement { not_null: unknown.refinement.not_null, ..Refinement::default() };
        return Ok(Value::refined(result, refinement));
    }
    let mut refinement = Refinement { not_null: unknown.refinement.not_null, ..Refinement::default() };
    let known = &unknown.refinement;
    match (from, &result) {
        (Type::List(_), Type::List(_)) | (Type::Map(_), Type::Map(_)) | (Type::Set(_), Type::List(_)) => {
            refinement.min_length = known.min_length;
            refinement.max_length = known.max_length;
        }
        (Type::List(_) | Type::Set(_), Type::Set(_)) => {
            // Elements may turn out equal, but not all of them vanish.
            refinement.min_length = known.min_length.min(1);
            refinement.max_length = known.max_length;
        }
        (Type::Tuple(members), Type::List(_)) => {
            refinement.min_length = members.len();
            refinement.max_length = Some(members.len());
        }
        (Type::Tuple(members), Type::Set(_)) => {
            refinement.min_length = members.len().min(1);
            refinement.max_length = Some(members.len());
        }
        (Type::Object(object), Type::Map(_)) => {
            refinement.min_length = object.attributes.len();
            refinement.max_length = Some(object.attributes.len());
        }
        _ => {}
    }
    Ok(Value::refined(result, refinement))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marks::Marks;

    fn check(value: Value, ty: &Type, expected: Value) {
        assert_eq!(convert(&value, ty), Ok(expected), "{value:?} to {ty}");
    }

    fn check_error(value: Value, ty: &Type, expected: &str) {
        assert_eq!(convert(&value, ty).unwrap_err().to_string(), expected);
    }

    #[test]
    fn primitives_convert_by_their_text() {
        check("1.50".into(), &Type::Number, Value::Number(Number::parse("1.5").unwrap()));
        check(Value::int(1), &Type::String, "1".into());
        check(true.into(), &Type::String, "true".into());
        check("1".into(), &Type::Bool, true.into());
        check_error(Value::int(1), &Type::Bool, "bool required");
        check_error(true.into(), &Type::Number, "number required");
        check_error("x".into(), &Type::Number, "a number is required");
        check_error(Value::tuple(vec![]), &Type::String, "string required");
    }

    #[test]
    fn any_inside_a_collection_is_inferred_from_the_elements() {
        let any_list = Type::list(Type::Dynamic);
        check(
            Value::tuple(vec![Value::int(1), "a".into(), Value::NULL]),
            &any_list,
            Value::list(Type::String, vec!["1".into(), "a".into(), Value::Null(Type::String)]),
        );
        check(Value::tuple(vec![]), &any_list, Value::list(Type::Dynamic, vec![]));
        check_error(
            Value::tuple(vec![Value::int(1), Value::tuple(vec![])]),
            &any_list,
            "all list elements must have the same type",
        );
        check(
            Value::object([("a", Value::NULL), ("b", Value::tuple(vec![Value::int(1)]))]),
            &Type::map(Type::Dynamic),
            Value::map(
                Type::tuple([Type::Number]),
                [
                    ("a".into(), Value::Null(Type::tuple([Type::Number]))),
                    ("b".into(), Value::tuple(vec![Value::int(1)])),
                ],
            ),
        );
    }

    #[test]
    fn objects_lose_what_the_type_does_not_have_and_need_what_it_has() {
        let mut object = ObjectType::default();
        object.attributes.insert("a".into(), Type::Number);
        object.attributes.insert("b".into(), Type::String);
        object.optional.insert("b".into());
        let ty = Type::Object(std::sync::Arc::new(object));
        check(
            Value::object([("a", "1".into()), ("z", Value::NULL)]),
            &ty,
            Value::object([("a", Value::int(1)), ("b", Value::Null(Type::String))]),
        );
        check_error(Value::object([("b", "x".into())]), &ty, "attribute \"a\" is required");
        let list = Type::list(ty);
        check_error(
            Value::tuple(vec![Value::object([("a", "x".into())])]),
            &list,
            "[0].a: a number is required",
        );
    }

    #[test]
    fn sets_merge_what_becomes_equal_and_keep_marks_on_the_whole() {
        let one = Value::int(1).with_marks(Marks::SENSITIVE);
        let set = convert(&Value::tuple(vec![one, "1".into()]), &Type::set(Type::String)).unwrap();
        assert_eq!(set, Value::set(Type::String, vec!["1".into()]).with_marks(Marks::SENSITIVE));
    }

    #[test]
    fn unknown_values_keep_what_still_holds() {
        let tuple = Type::tuple([Type::Number, Type::Number]);
        let converted = convert(&Value::unknown(tuple), &Type::list(Type::Dynamic)).unwrap();
        let expected = Refinement { min_length: 2, max_length: Some(2), ..Refinement::default() };
        assert_eq!(converted, Value::refined(Type::list(Type::Number), expected));
        check(Value::unknown(Type::Dynamic), &Type::String, Value::unknown(Type::String));
        assert!(convert(&Value::unknown(Type::Bool), &Type::Number).is_err());
    }

    #[test]
    fn nulls_take_the_type() {
        check(Value::NULL, &Type::list(Type::Dynamic), Value::Null(Type::list(Type::Dynamic)));
        check(Value::Null(Type::Number), &Type::String, Value::Null(Type::String));
        assert!(convert(&Value::Null(Type::list(Type::Number)), &Type::String).is_err());
    }
}
