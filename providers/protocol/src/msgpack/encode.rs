//! Values to msgpack.

use plumb_model::number::TEXT_PRECISION;
use plumb_model::value::{Entries, Unknown};
use plumb_model::{Number, Refinement, Step, Type, Value, json};
use rmp::encode as mp;
use rmp::encode::ByteBuf;

use super::{CodecError, MAX_PREFIX, MAX_REFINEMENT, REFINED, key};

/// A value of a type as msgpack. Marks are not sent.
///
/// # Errors
/// If a part is not of the type.
pub fn encode(value: &Value, ty: &Type) -> Result<Vec<u8>, CodecError> {
    let mut out = ByteBuf::with_capacity(256);
    write(value, ty, &mut out)?;
    Ok(out.into_vec())
}

/// The buffer grows as needed, so that writing to it cannot fail.
fn done<T, E: std::fmt::Debug>(result: Result<T, E>) {
    result.expect("memory takes all that is written to it");
}

fn write(value: &Value, ty: &Type, out: &mut ByteBuf) -> Result<(), CodecError> {
    let value = value.unmarked();
    match (value, ty) {
        (Value::Null(own), Type::Dynamic) if *own != Type::Dynamic => typed(value, own, out)?,
        (Value::Null(_), _) => done(mp::write_nil(out)),
        (Value::Unknown(unknown), Type::Dynamic) if unknown.ty != Type::Dynamic => {
            typed(value, &unknown.ty, out)?;
        }
        (Value::Unknown(unknown), _) => write_unknown(unknown, out)?,
        (_, Type::Dynamic) => typed(value, &value.ty(), out)?,
        (Value::Bool(value), Type::Bool) => done(mp::write_bool(out, *value)),
        (Value::Number(number), Type::Number) => write_number(number, out)?,
        (Value::String(text), Type::String) => {
            length(text.len())?;
            done(mp::write_str(out, text));
        }
        (Value::List(s), Type::List(element)) | (Value::Set(s), Type::Set(element)) => {
            done(mp::write_array_len(out, length(s.items.len())?));
            for (i, item) in s.items.iter().enumerate() {
                write(item, element, out).map_err(|e| e.within(Step::Index(i)))?;
            }
        }
        (Value::Tuple(items), Type::Tuple(types)) if items.len() == types.len() => {
            done(mp::write_array_len(out, length(items.len())?));
            for (i, (item, ty)) in items.iter().zip(types.iter()).enumerate() {
                write(item, ty, out).map_err(|e| e.within(Step::Index(i)))?;
            }
        }
        (Value::Map(map), Type::Map(element)) => {
            write_entries(&map.entries, |_| Some(element), out)?;
        }
        (Value::Object(entries), Type::Object(object)) => {
            if let Some(name) = object.attributes.keys().find(|name| !entries.contains_key(name)) {
                return Err(CodecError::new(format!("attribute `{name}` is missing")));
            }
            write_entries(entries, |name| object.attributes.get(name), out)?;
        }
        (value, ty) => {
            return Err(CodecError::new(format!(
                "found {}, wanted {}",
                value.ty().friendly_name(),
                ty.friendly_name()
            )));
        }
    }
    Ok(())
}

/// A pair of the type and the value.
fn typed(value: &Value, ty: &Type, out: &mut ByteBuf) -> Result<(), CodecError> {
    done(mp::write_array_len(out, 2));
    done(mp::write_bin(out, json::type_to_json(ty).to_string().as_bytes()));
    write(value, ty, out)
}

fn write_entries<'t>(
    entries: &Entries,
    ty: impl Fn(&str) -> Option<&'t Type>,
    out: &mut ByteBuf,
) -> Result<(), CodecError> {
    done(mp::write_map_len(out, length(entries.len())?));
    for (name, value) in entries.iter() {
        let ty = ty(name).ok_or_else(|| CodecError::new(format!("the type has no attribute `{name}`")))?;
        done(mp::write_str(out, name));
        write(value, ty, out).map_err(|e| e.within(Step::Attribute(name.clone())))?;
    }
    Ok(())
}

fn length(length: usize) -> Result<u32, CodecError> {
    u32::try_from(length).map_err(|_| CodecError::new("too long for the wire"))
}

fn write_number(number: &Number, out: &mut ByteBuf) -> Result<(), CodecError> {
    if let Some(whole) = number.to_i64() {
        done(mp::write_sint(out, whole));
    } else if number.is_infinite() || !number.is_integer() && number.is_exact_f64() {
        done(mp::write_f64(out, number.to_f64()));
    } else {
        // The receiver reads text with 512 bits: fewer digits would be another number there.
        let text = number.with_precision(TEXT_PRECISION).to_string();
        length(text.len())?;
        done(mp::write_str(out, &text));
    }
    Ok(())
}

fn write_unknown(unknown: &Unknown, out: &mut ByteBuf) -> Result<(), CodecError> {
    if let Some(payload) = refinements(unknown)? {
        done(mp::write_ext_meta(out, length(payload.len())?, REFINED));
        out.as_mut_vec().extend_from_slice(&payload);
    } else {
        // One byte of payload, whose value means nothing.
        done(mp::write_ext_meta(out, 1, 0));
        out.as_mut_vec().push(0);
    }
    Ok(())
}

/// What is known of the value; `None` if nothing that fits its type is.
fn refinements(unknown: &Unknown) -> Result<Option<Vec<u8>>, CodecError> {
    let Refinement { not_null, prefix, min, max, min_length, max_length } = &unknown.refinement;
    if unknown.ty == Type::Dynamic {
        return Ok(None);
    }
    let (mut out, mut count) = (ByteBuf::new(), 0);
    let mut entry = |key: i64, out: &mut ByteBuf| {
        done(mp::write_sint(out, key));
        count += 1;
    };
    if *not_null {
        entry(key::NOT_NULL, &mut out);
        done(mp::write_bool(&mut out, false));
    }
    if unknown.ty == Type::String && !prefix.is_empty() {
        entry(key::PREFIX, &mut out);
        done(mp::write_str(&mut out, &prefix[..prefix.floor_char_boundary(MAX_PREFIX)]));
    }
    if unknown.ty == Type::Number {
        for (key, bound) in [(key::MIN, min), (key::MAX, max)] {
            let Some((number, inclusive)) = bound.as_ref().filter(|(n, _)| !n.is_infinite()) else {
                continue;
            };
            entry(key, &mut out);
            done(mp::write_array_len(&mut out, 2));
            write_number(number, &mut out)?;
            done(mp::write_bool(&mut out, *inclusive));
        }
    }
    if unknown.ty.is_collection() {
        for (key, bound) in
            [(key::MIN_LENGTH, (*min_length > 0).then_some(*min_length)), (key::MAX_LENGTH, *max_length)]
        {
            // A length beyond `i64` is no bound.
            let Some(length) = bound.and_then(|length| i64::try_from(length).ok()) else { continue };
            entry(key, &mut out);
            done(mp::write_sint(&mut out, length));
        }
    }
    if count == 0 || out.as_slice().len() >= MAX_REFINEMENT {
        return Ok(None);
    }
    let mut payload = ByteBuf::new();
    done(mp::write_map_len(&mut payload, count));
    let mut payload = payload.into_vec();
    payload.extend_from_slice(out.as_slice());
    Ok(Some(payload))
}
