//! Finding one type for several values.
//!
//! The arms of a conditional, the members that `tolist` is given and the arguments of `coalesce` must come to one type.
//! [`unify`] finds it; [`unify_values`] also converts the values to it.
//!
//! Collections of one kind unify by their elements. Objects with the same attribute names unify attribute by attribute,
//! others to a map; tuples of one length element by element, others to a list. Apart from that one of the given types
//! must be one that all others convert to.

use std::collections::{BTreeMap, BTreeSet};

use ecow::EcoString;

use crate::convert::{can_convert, convert};
use crate::types::{ObjectType, Type};
use crate::value::Value;

/// The type that values of all these types can be converted to. None given is [`Type::Dynamic`].
///
/// The result is `None` if there is no such type. [`Type::Dynamic`] among objects, tuples or collections makes the
/// result dynamic: it can only be decided when the type is known.
pub fn unify(types: &[Type]) -> Option<Type> {
    let distinct: BTreeSet<&Type> = types.iter().collect();
    match distinct.len() {
        0 => return Some(Type::Dynamic),
        1 => return types.first().cloned(),
        _ => {}
    }
    let mut kinds = Kinds::default();
    for ty in &distinct {
        kinds.count(ty);
    }
    let types: Vec<&Type> = distinct.into_iter().collect();
    let structural = types.len() - kinds.primitive - kinds.dynamic;
    if structural > 0 && kinds.primitive > 0 {
        return None;
    }
    let only = |n: usize| n > 0 && n == structural;
    if only(kinds.map) {
        collection(&types, Type::map)
    } else if kinds.map > 0 && only(kinds.map + kinds.object) {
        maps_and_objects(&types)
    } else if only(kinds.list) {
        collection(&types, Type::list)
    } else if kinds.list > 0 && only(kinds.list + kinds.tuple) {
        lists_and_tuples(&types)
    } else if only(kinds.set) {
        collection(&types, Type::set)
    } else if only(kinds.object) {
        if kinds.dynamic > 0 { Some(Type::Dynamic) } else { objects(&types) }
    } else if only(kinds.tuple) {
        if kinds.dynamic > 0 { Some(Type::Dynamic) } else { tuples(&types) }
    } else {
        preferred(types)
    }
}

/// The values, converted to the type that they unify to; `None` if there is none, or if a value cannot be converted.
pub fn unify_values(values: &[Value]) -> Option<(Type, Vec<Value>)> {
    let types: Vec<Type> = values.iter().map(Value::ty).collect();
    let ty = unify(&types)?;
    let values = values.iter().map(|v| convert(v, &ty)).collect::<Result<_, _>>().ok()?;
    Some((ty, values))
}

#[derive(Default)]
struct Kinds {
    primitive: usize,
    dynamic: usize,
    list: usize,
    set: usize,
    map: usize,
    tuple: usize,
    object: usize,
}

impl Kinds {
    fn count(&mut self, ty: &Type) {
        *match ty {
            Type::Dynamic => &mut self.dynamic,
            Type::Bool | Type::Number | Type::String => &mut self.primitive,
            Type::List(_) => &mut self.list,
            Type::Set(_) => &mut self.set,
            Type::Map(_) => &mut self.map,
            Type::Tuple(_) => &mut self.tuple,
            Type::Object(_) => &mut self.object,
        } += 1;
    }
}

/// Collections of one kind, perhaps with dynamic ones among them.
fn collection(types: &[&Type], make: fn(Type) -> Type) -> Option<Type> {
    if types.contains(&&Type::Dynamic) {
        return Some(Type::Dynamic);
    }
    let elements: Vec<Type> = types.iter().filter_map(|ty| ty.element().cloned()).collect();
    unify_elements(&elements).map(make)
}

/// Element types of collections. That of an empty collection is dynamic, and any other will do for it.
fn unify_elements(elements: &[Type]) -> Option<Type> {
    let known: Vec<Type> = elements.iter().filter(|ty| **ty != Type::Dynamic).cloned().collect();
    unify(&known)
}

fn maps_and_objects(types: &[&Type]) -> Option<Type> {
    let mut elements = Vec::new();
    for ty in types {
        match ty {
            Type::Dynamic => return Some(Type::Dynamic),
            Type::Map(element) => elements.push((**element).clone()),
            Type::Object(object) => elements.push(unify_attributes(std::iter::once(&**object))?),
            _ => {}
        }
    }
    let element = unify_elements(&elements)?;
    // A map's elements stay what they are or become strings; `map(number)` does not take an object of bools.
    elements.iter().all(|from| can_convert(from, &element)).then(|| Type::map(element))
}

fn lists_and_tuples(types: &[&Type]) -> Option<Type> {
    let mut elements = Vec::new();
    for ty in types {
        match ty {
            Type::Dynamic => return Some(Type::Dynamic),
            Type::List(element) => elements.push((**element).clone()),
            Type::Tuple(members) => elements.push(unify_elements(members)?),
            _ => {}
        }
    }
    unify_elements(&elements).map(Type::list)
}

fn objects(types: &[&Type]) -> Option<Type> {
    let objects: Vec<&ObjectType> = types
        .iter()
        .filter_map(|ty| match ty {
            Type::Object(object) => Some(&**object),
            _ => None,
        })
        .collect();
    let first = objects.first()?;
    let same_names = objects.iter().all(|o| o.attributes.keys().eq(first.attributes.keys()));
    if !same_names {
        return unify_attributes(objects.into_iter()).map(Type::map);
    }
    let mut attributes: BTreeMap<EcoString, Type> = BTreeMap::new();
    for name in first.attributes.keys() {
        let of_name: Vec<Type> =
            objects.iter().filter_map(|object| object.attributes.get(name).cloned()).collect();
        attributes.insert(name.clone(), unify(&of_name)?);
    }
    Some(Type::object(attributes))
}

/// One type for all attributes of all these objects.
fn unify_attributes<'t>(objects: impl Iterator<Item = &'t ObjectType>) -> Option<Type> {
    let distinct: BTreeSet<&Type> = objects.flat_map(|object| object.attributes.values()).collect();
    let types: Vec<Type> = distinct.into_iter().cloned().collect();
    unify_elements(&types)
}

fn tuples(types: &[&Type]) -> Option<Type> {
    let tuples: Vec<&[Type]> = types
        .iter()
        .filter_map(|ty| match ty {
            Type::Tuple(members) => Some(members.as_slice()),
            _ => None,
        })
        .collect();
    let first = tuples.first()?;
    if tuples.iter().any(|t| t.len() != first.len()) {
        let distinct: BTreeSet<&Type> = tuples.iter().flat_map(|t| t.iter()).collect();
        let members: Vec<Type> = distinct.into_iter().cloned().collect();
        return unify_elements(&members).map(Type::list);
    }
    let members = (0..first.len())
        .map(|i| unify(&tuples.iter().map(|t| t[i].clone()).collect::<Vec<_>>()))
        .collect::<Option<Vec<_>>>()?;
    Some(Type::tuple(members))
}

/// The most general of the types that every other converts to.
fn preferred(mut types: Vec<&Type>) -> Option<Type> {
    fn rank(ty: &Type) -> u8 {
        match ty {
            Type::String | Type::List(_) | Type::Map(_) => 0,
            Type::Set(_) => 1,
            Type::Bool | Type::Number | Type::Tuple(_) | Type::Object(_) => 2,
            Type::Dynamic => 3,
        }
    }
    types.sort_by_key(|ty| rank(ty));
    types
        .iter()
        .find(|wanted| {
            ***wanted != Type::Dynamic
                && types.iter().all(|ty| **ty == Type::Dynamic || can_convert(ty, wanted))
        })
        .map(|ty| (*ty).clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(types: &[Type], expected: Option<Type>) {
        assert_eq!(unify(types), expected, "{types:?}");
    }

    #[test]
    fn primitives_become_strings_but_bools_never_numbers() {
        check(&[Type::Number, Type::String], Some(Type::String));
        check(&[Type::Bool, Type::Number, Type::String], Some(Type::String));
        check(&[Type::Bool, Type::Number], None);
        check(&[Type::Dynamic, Type::Number], Some(Type::Number));
        check(&[], Some(Type::Dynamic));
    }

    #[test]
    fn objects_unify_by_attribute_or_to_a_map() {
        let a_number = Type::object([("a", Type::Number)]);
        let a_string = Type::object([("a", Type::String)]);
        let b_string = Type::object([("b", Type::String)]);
        check(&[a_number.clone(), a_string.clone()], Some(a_string.clone()));
        check(&[a_number.clone(), b_string], Some(Type::map(Type::String)));
        check(&[a_number.clone(), Type::object([("a", Type::Number), ("b", Type::Bool)])], None);
        check(&[a_number.clone(), Type::map(Type::String)], Some(Type::map(Type::String)));
        check(&[a_number.clone(), Type::tuple([])], None);
        check(&[a_number.clone(), Type::Dynamic], Some(Type::Dynamic));
        check(&[a_number, Type::String], None);
    }

    #[test]
    fn tuples_unify_by_element_or_to_a_list() {
        let number = Type::tuple([Type::Number]);
        check(&[number.clone(), Type::tuple([Type::String])], Some(Type::tuple([Type::String])));
        check(&[number.clone(), Type::tuple([Type::Number, Type::Number])], Some(Type::list(Type::Number)));
        check(&[Type::tuple([]), number.clone()], Some(Type::list(Type::Number)));
        check(&[number.clone(), Type::list(Type::String)], Some(Type::list(Type::String)));
        check(&[number, Type::set(Type::String)], Some(Type::set(Type::String)));
        check(&[Type::set(Type::String), Type::list(Type::Number)], Some(Type::list(Type::Number)));
        check(&[Type::list(Type::Dynamic), Type::list(Type::Number)], Some(Type::list(Type::Number)));
    }

    #[test]
    fn values_are_converted_to_what_they_unify_to() {
        let (ty, values) = unify_values(&[Value::int(1), Value::from("x"), Value::NULL]).unwrap();
        assert_eq!(ty, Type::String);
        assert_eq!(values, [Value::from("1"), Value::from("x"), Value::Null(Type::String)]);
    }
}
