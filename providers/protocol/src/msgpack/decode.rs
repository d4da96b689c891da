//! Msgpack to values.

use ecow::EcoString;
use plumb_model::value::{Entries, MapValue, normalize};
use plumb_model::{Number, ObjectType, Refinement, Step, Type, Value, json};
use rmp::Marker;

use super::{CodecError, MAX_DEPTH, MAX_REFINEMENT, REFINED, key};

/// The value of a type that msgpack holds.
///
/// # Errors
/// If the bytes are not exactly one value of the type.
pub fn decode(bytes: &[u8], ty: &Type) -> Result<Value, CodecError> {
    let mut reader = Reader { bytes };
    let value = read(&mut reader, ty, 0)?;
    if !reader.bytes.is_empty() {
        return Err(CodecError::new(format!("{} bytes follow the value", reader.bytes.len())));
    }
    Ok(value)
}

fn read(reader: &mut Reader<'_>, ty: &Type, depth: usize) -> Result<Value, CodecError> {
    if depth > MAX_DEPTH {
        return Err(CodecError::new(format!("the value is nested deeper than {MAX_DEPTH} levels")));
    }
    let token = reader.token()?;
    match (token, ty) {
        (Token::Nil, _) => Ok(Value::Null(ty.clone())),
        (Token::Extension(kind, payload), _) => read_unknown(kind, payload, ty),
        (Token::Array(2), Type::Dynamic) => {
            let own = match reader.token()? {
                Token::Binary(bytes) => type_of(bytes)?,
                Token::String(text) => type_of(text.as_bytes())?,
                other => return Err(CodecError::new(format!("found {}, wanted a type", other.name()))),
            };
            read(reader, &own, depth + 1)
        }
        (Token::Bool(value), Type::Bool) => Ok(Value::Bool(value)),
        (Token::String(text), Type::String) => Ok(Value::string(text)),
        (token, Type::Number) => number(token).map(Value::Number),
        (Token::Array(length), Type::List(element)) => {
            Ok(Value::list((**element).clone(), items(reader, length, |_| element, depth)?))
        }
        (Token::Array(length), Type::Set(element)) => {
            Ok(Value::set((**element).clone(), items(reader, length, |_| element, depth)?))
        }
        (Token::Array(length), Type::Tuple(types)) => {
            if length != types.len() {
                return Err(CodecError::new(format!("found {length} elements, wanted {}", types.len())));
            }
            Ok(Value::tuple(items(reader, length, |i| &types[i], depth)?))
        }
        (Token::Map(length), Type::Map(element)) => {
            let entries = map_entries(reader, length, element, depth)?;
            Ok(Value::Map(MapValue { element: (**element).clone(), entries }.into()))
        }
        (Token::Map(length), Type::Object(object)) => object_entries(reader, length, object, depth),
        (token, ty) => Err(CodecError::new(format!("found {}, wanted {}", token.name(), ty.friendly_name()))),
    }
}

fn type_of(json_text: &[u8]) -> Result<Type, CodecError> {
    let json: serde_json::Value = serde_json::from_slice(json_text)
        .map_err(|e| CodecError::new(format!("a type that is no JSON: {e}")))?;
    json::type_from_json(&json).map(|ty| ty.without_optional()).map_err(|e| CodecError::new(e.to_string()))
}

fn items<'t>(
    reader: &mut Reader<'_>,
    length: usize,
    ty: impl Fn(usize) -> &'t Type,
    depth: usize,
) -> Result<Vec<Value>, CodecError> {
    let mut items = Vec::with_capacity(reader.capacity(length));
    for i in 0..length {
        items.push(read(reader, ty(i), depth + 1).map_err(|e| e.within(Step::Index(i)))?);
    }
    Ok(items)
}

fn map_entries(
    reader: &mut Reader<'_>,
    length: usize,
    element: &Type,
    depth: usize,
) -> Result<Entries, CodecError> {
    let mut entries = Vec::with_capacity(reader.capacity(length));
    for _ in 0..length {
        let key = normalize(reader.key()?);
        let value = read(reader, element, depth + 1).map_err(|e| e.within(Step::Key(key.clone())))?;
        entries.push((key, value));
    }
    Ok(Entries::new(entries))
}

/// The attributes mostly come in order, so each is first looked for behind the one before.
fn object_entries(
    reader: &mut Reader<'_>,
    length: usize,
    object: &ObjectType,
    depth: usize,
) -> Result<Value, CodecError> {
    let mut entries: Vec<(EcoString, Value)> = Vec::with_capacity(reader.capacity(length));
    let mut expected = object.attributes.iter();
    for _ in 0..length {
        let name = reader.key()?;
        let (name, ty) = match expected.next() {
            Some((next, ty)) if next == name => (next, ty),
            _ => object
                .attributes
                .get_key_value(name)
                .ok_or_else(|| CodecError::new(format!("unsupported attribute `{name}`")))?,
        };
        let value = read(reader, ty, depth + 1).map_err(|e| e.within(Step::Attribute(name.clone())))?;
        entries.push((name.clone(), value));
    }
    let entries = Entries::new(entries);
    if let Some(name) = object.attributes.keys().find(|name| !entries.contains_key(name)) {
        return Err(CodecError::new(format!("attribute `{name}` is missing")));
    }
    Ok(Value::Object(entries.into()))
}

fn number(token: Token<'_>) -> Result<Number, CodecError> {
    match token {
        Token::Integer(value) => Ok(Number::from_count(value)),
        Token::Unsigned(value) => Ok(Number::from_u64(value)),
        Token::Float(value) => Number::from_f64(value).map_err(|e| CodecError::new(e.to_string())),
        Token::String(text) => Number::parse(text).map_err(|e| CodecError::new(format!("`{text}`: {e}"))),
        token => Err(CodecError::new(format!("found {}, wanted number", token.name()))),
    }
}

fn read_unknown(kind: i8, payload: &[u8], ty: &Type) -> Result<Value, CodecError> {
    if kind != REFINED || payload.len() <= 1 || *ty == Type::Dynamic {
        return Ok(Value::unknown(ty.clone()));
    }
    if payload.len() > MAX_REFINEMENT {
        return Err(CodecError::new(format!(
            "an unknown value with {} bytes of refinements; at most {MAX_REFINEMENT} are allowed",
            payload.len()
        )));
    }
    let mut reader = Reader { bytes: payload };
    let Token::Map(length) = reader.token()? else {
        return Err(CodecError::new("the refinements of an unknown value are not a map"));
    };
    let mut refinement = Refinement::default();
    for _ in 0..length {
        let Token::Integer(key) = reader.token()? else {
            return Err(CodecError::new("the key of a refinement is not an integer"));
        };
        refine(&mut refinement, key, &mut reader)?;
    }
    Ok(Value::refined(ty.clone(), refinement))
}

/// Reads one refinement; those of later versions of the protocol are passed over.
fn refine(refinement: &mut Refinement, key: i64, reader: &mut Reader<'_>) -> Result<(), CodecError> {
    let wrong = || CodecError::new(format!("refinement {key} of an unknown value has another type"));
    match key {
        key::NOT_NULL => match reader.token()? {
            Token::Bool(may_be_null) => refinement.not_null = !may_be_null,
            _ => return Err(wrong()),
        },
        key::PREFIX => match reader.token()? {
            Token::String(prefix) => refinement.prefix = normalize(prefix),
            _ => return Err(wrong()),
        },
        key::MIN | key::MAX => {
            let Token::Array(2) = reader.token()? else { return Err(wrong()) };
            let bound = number(reader.token()?)?;
            let Token::Bool(inclusive) = reader.token()? else { return Err(wrong()) };
            let side = if key == key::MIN { &mut refinement.min } else { &mut refinement.max };
            *side = Some((bound, inclusive));
        }
        key::MIN_LENGTH | key::MAX_LENGTH => {
            let Token::Integer(length) = reader.token()? else { return Err(wrong()) };
            let length = usize::try_from(length).map_err(|_| wrong())?;
            if key == key::MIN_LENGTH {
                refinement.min_length = length;
            } else {
                refinement.max_length = Some(length);
            }
        }
        _ => reader.skip(0)?,
    }
    Ok(())
}

/// What comes next: a scalar, or the head of something with parts.
enum Token<'a> {
    Nil,
    Bool(bool),
    Integer(i64),
    /// Only for numbers that do not fit `i64`.
    Unsigned(u64),
    Float(f64),
    String(&'a str),
    Binary(&'a [u8]),
    Array(usize),
    Map(usize),
    Extension(i8, &'a [u8]),
}

impl Token<'_> {
    fn name(&self) -> &'static str {
        match self {
            Token::Nil => "null",
            Token::Bool(_) => "a bool",
            Token::Integer(_) | Token::Unsigned(_) | Token::Float(_) => "a number",
            Token::String(_) => "a string",
            Token::Binary(_) => "binary data",
            Token::Array(_) => "an array",
            Token::Map(_) => "a map",
            Token::Extension(..) => "an unknown value",
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], CodecError> {
        let (taken, rest) = self
            .bytes
            .split_at_checked(length)
            .ok_or_else(|| CodecError::new("the message ends in the middle of a value"))?;
        self.bytes = rest;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        Ok(self.take(N)?.try_into().expect("as many bytes as were taken"))
    }

    fn len8(&mut self) -> Result<usize, CodecError> {
        Ok(usize::from(u8::from_be_bytes(self.fixed()?)))
    }

    fn len16(&mut self) -> Result<usize, CodecError> {
        Ok(usize::from(u16::from_be_bytes(self.fixed()?)))
    }

    fn len32(&mut self) -> Result<usize, CodecError> {
        Ok(u32::from_be_bytes(self.fixed()?) as usize)
    }

    /// How much to reserve for a promised number of parts: each needs a byte at least, and a promise is not trusted.
    fn capacity(&self, length: usize) -> usize {
        length.min(self.bytes.len()).min(4096)
    }

    fn string(&mut self, length: usize) -> Result<Token<'a>, CodecError> {
        let text = std::str::from_utf8(self.take(length)?);
        Ok(Token::String(text.map_err(|_| CodecError::new("a string that is not UTF-8"))?))
    }

    fn extension(&mut self, length: usize) -> Result<Token<'a>, CodecError> {
        let kind = i8::from_be_bytes(self.fixed()?);
        Ok(Token::Extension(kind, self.take(length)?))
    }

    fn key(&mut self) -> Result<&'a str, CodecError> {
        match self.token()? {
            Token::String(text) => Ok(text),
            other => Err(CodecError::new(format!("found {} as a key, wanted a string", other.name()))),
        }
    }

    fn token(&mut self) -> Result<Token<'a>, CodecError> {
        let marker = Marker::from_u8(u8::from_be_bytes(self.fixed()?));
        Ok(match marker {
            Marker::Null => Token::Nil,
            Marker::True => Token::Bool(true),
            Marker::False => Token::Bool(false),
            Marker::FixPos(value) => Token::Integer(value.into()),
            Marker::FixNeg(value) => Token::Integer(value.into()),
            Marker::U8 => Token::Integer(u8::from_be_bytes(self.fixed()?).into()),
            Marker::U16 => Token::Integer(u16::from_be_bytes(self.fixed()?).into()),
            Marker::U32 => Token::Integer(u32::from_be_bytes(self.fixed()?).into()),
            Marker::U64 => {
                let value = u64::from_be_bytes(self.fixed()?);
                i64::try_from(value).map_or(Token::Unsigned(value), Token::Integer)
            }
            Marker::I8 => Token::Integer(i8::from_be_bytes(self.fixed()?).into()),
            Marker::I16 => Token::Integer(i16::from_be_bytes(self.fixed()?).into()),
            Marker::I32 => Token::Integer(i32::from_be_bytes(self.fixed()?).into()),
            Marker::I64 => Token::Integer(i64::from_be_bytes(self.fixed()?)),
            Marker::F32 => Token::Float(f32::from_be_bytes(self.fixed()?).into()),
            Marker::F64 => Token::Float(f64::from_be_bytes(self.fixed()?)),
            Marker::FixStr(length) => self.string(length.into())?,
            Marker::Str8 => self.len8().and_then(|l| self.string(l))?,
            Marker::Str16 => self.len16().and_then(|l| self.string(l))?,
            Marker::Str32 => self.len32().and_then(|l| self.string(l))?,
            Marker::Bin8 => Token::Binary(self.len8().and_then(|l| self.take(l))?),
            Marker::Bin16 => Token::Binary(self.len16().and_then(|l| self.take(l))?),
            Marker::Bin32 => Token::Binary(self.len32().and_then(|l| self.take(l))?),
            Marker::FixArray(length) => Token::Array(length.into()),
            Marker::Array16 => Token::Array(self.len16()?),
            Marker::Array32 => Token::Array(self.len32()?),
            Marker::FixMap(length) => Token::Map(length.into()),
            Marker::Map16 => Token::Map(self.len16()?),
            Marker::Map32 => Token::Map(self.len32()?),
            Marker::FixExt1 => self.extension(1)?,
            Marker::FixExt2 => self.extension(2)?,
            Marker::FixExt4 => self.extension(4)?,
            Marker::FixExt8 => self.extension(8)?,
            Marker::FixExt16 => self.extension(16)?,
            Marker::Ext8 => self.len8().and_then(|l| self.extension(l))?,
            Marker::Ext16 => self.len16().and_then(|l| self.extension(l))?,
            Marker::Ext32 => self.len32().and_then(|l| self.extension(l))?,
            Marker::Reserved => return Err(CodecError::new("a byte that msgpack reserves")),
        })
    }

    fn skip(&mut self, depth: usize) -> Result<(), CodecError> {
        if depth > MAX_DEPTH {
            return Err(CodecError::new("a refinement is nested too deeply"));
        }
        let parts = match self.token()? {
            Token::Array(length) => length,
            Token::Map(length) => length * 2,
            _ => 0,
        };
        (0..parts).try_for_each(|_| self.skip(depth + 1))
    }
}
