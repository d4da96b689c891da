//! Base64, URLs, compression and comma-separated values.

use std::io::Read as _;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ecow::EcoString;
use plumb_model::value::normalize;
use plumb_model::{Type, Value};

use crate::error::FunctionError;
use crate::gzip::gzip;
use crate::signature::{Call, Function, Origin, Outcome, parameter};

/// Standard Base64 whose last character may have bits that stand for nothing.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// The most bytes that decompression gives; small inputs can stand for enormous outputs.
const MOST_DECOMPRESSED: u64 = 256 << 20;

pub(crate) fn functions() -> Vec<Function> {
    let text = || parameter("str", Type::String, "The string.");
    vec![
        Function::new("base64encode", Type::String, |call| {
            Ok(Value::string(BASE64.encode(call.text(0).as_str())))
        })
        .describe("Encodes a string as Base64.")
        .takes(text()),
        Function::new("base64decode", Type::String, |call| {
            let bytes = decode_base64(call.text(0)).ok_or_else(|| not_base64(0))?;
            utf8(bytes)
        })
        .describe("Decodes Base64 that stands for text.")
        .takes(text()),
        Function::new("base64gzip", Type::String, |call| {
            Ok(Value::string(BASE64.encode(gzip(call.text(0).as_bytes()))))
        })
        .describe("Compresses a string with gzip and encodes the result as Base64.")
        .takes(text()),
        Function::new("base64gunzip", Type::String, gunzip)
            .describe("Decodes Base64 and decompresses the result with gzip.")
            .origin(Origin::Later)
            .takes(text()),
        Function::new("urlencode", Type::String, |call| Ok(Value::string(url_encode(call.text(0)))))
            .describe("Encodes a string so that it can be a part of the query of a URL.")
            .takes(text()),
        Function::new("urldecode", Type::String, url_decode)
            .describe("Decodes a string from the query of a URL.")
            .origin(Origin::Later)
            .takes(text()),
        Function::new("csvdecode", Type::Dynamic, csv_decode)
            .describe(
                "Reads comma-separated values; each line becomes an object with the names of the first line.",
            )
            .takes(text()),
    ]
}

/// The bytes that Base64 stands for; line breaks count for nothing.
pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    if text.contains(['\n', '\r']) {
        BASE64.decode(text.replace(['\n', '\r'], "")).ok()
    } else {
        BASE64.decode(text).ok()
    }
}

pub(crate) fn not_base64(argument: usize) -> FunctionError {
    FunctionError::argument(argument, "the given string is not valid Base64 with padding")
}

fn utf8(bytes: Vec<u8>) -> Outcome {
    String::from_utf8(bytes)
        .map(Value::from)
        .map_err(|_| FunctionError::failed("the result of decoding the provided string is not valid UTF-8"))
}

fn gunzip(call: &Call<'_>) -> Outcome {
    let bytes = decode_base64(call.text(0)).ok_or_else(|| not_base64(0))?;
    let mut out = Vec::new();
    let decoder = flate2::read::MultiGzDecoder::new(bytes.as_slice());
    match decoder.take(MOST_DECOMPRESSED + 1).read_to_end(&mut out) {
        Err(error) => Err(FunctionError::argument(0, format!("the data is not gzip: {error}"))),
        Ok(read) if read as u64 > MOST_DECOMPRESSED => {
            Err(FunctionError::argument(0, "the decompressed data would be too large"))
        }
        Ok(_) => utf8(out),
    }
}

fn url_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn url_decode(call: &Call<'_>) -> Outcome {
    let bytes = call.text(0).as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let digits = bytes.get(at..at + 2).filter(|d| d.iter().all(u8::is_ascii_hexdigit));
                let decoded = digits.and_then(|d| hex::decode(d).ok());
                let Some(decoded) = decoded else {
                    return Err(FunctionError::argument(
                        0,
                        "invalid escape sequence: `%` must be followed by two hexadecimal digits",
                    ));
                };
                out.extend(decoded);
                at += 2;
            }
            byte => out.push(*byte),
        }
    }
    utf8(out)
}

fn csv_decode(call: &Call<'_>) -> Outcome {
    let mut records = Csv { text: call.text(0), at: 0, line: 1 };
    let failed = |problem: String| FunctionError::argument(0, problem);
    let Some(header) = records.next_record().map_err(failed)? else {
        return Err(failed("missing header line".to_owned()));
    };
    let names: Vec<EcoString> = header.fields.iter().map(|name| normalize(name)).collect();
    let mut sorted = names.clone();
    sorted.sort();
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(failed(format!("duplicate column name {:?}", twice[0])));
    }
    let ty = Type::object(names.iter().map(|name| (name.clone(), Type::String)));
    let mut rows = Vec::new();
    while let Some(record) = records.next_record().map_err(failed)? {
        if record.fields.len() != names.len() {
            return Err(failed(format!(
                "wrong number of fields on line {}: there are {}, and {} in the header",
                record.line,
                record.fields.len(),
                names.len()
            )));
        }
        let fields = names.iter().cloned().zip(record.fields.into_iter().map(Value::from));
        rows.push(Value::object(fields));
    }
    Ok(Value::list(ty, rows))
}

struct Csv<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

struct Record {
    fields: Vec<String>,
    line: usize,
}

impl<'a> Csv<'a> {
    /// The rest of the line with its end, which is `\n` or `\r\n`; the last line may lack it.
    fn next_line(&mut self) -> Option<&'a str> {
        let rest = &self.text[self.at..];
        if rest.is_empty() {
            return None;
        }
        let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
        self.at += end;
        self.line += 1;
        Some(&rest[..end])
    }

    fn next_record(&mut self) -> Result<Option<Record>, String> {
        loop {
            let line = self.line;
            let Some(text) = self.next_line() else { return Ok(None) };
            if !trim_end(text).is_empty() {
                return self.fields(text).map(|fields| Some(Record { fields, line }));
            }
        }
    }

    fn fields(&mut self, first_line: &'a str) -> Result<Vec<String>, String> {
        let mut fields = Vec::new();
        let mut rest = first_line;
        loop {
            if let Some(quoted) = rest.strip_prefix('"') {
                let (field, after) = self.quoted(quoted)?;
                fields.push(field);
                match after.strip_prefix(',') {
                    Some(after) => rest = after,
                    None if trim_end(after).is_empty() => return Ok(fields),
                    None => return Err(self.stray_quote()),
                }
            } else {
                let (field, after) = match rest.split_once(',') {
                    Some((field, after)) => (field, Some(after)),
                    None => (trim_end(rest), None),
                };
                if field.contains('"') {
                    return Err(format!("bare \" in non-quoted field on line {}", self.line - 1));
                }
                fields.push(field.to_owned());
                match after {
                    Some(after) => rest = after,
                    None => return Ok(fields),
                }
            }
        }
    }

    /// The field that begins after a quote, which may go over several lines, and what follows its end on the line.
    fn quoted(&mut self, text: &'a str) -> Result<(String, &'a str), String> {
        let mut field = String::new();
        let mut rest = text;
        loop {
            match rest.split_once('"') {
                Some((part, after)) => {
                    field.push_str(part);
                    match after.strip_prefix('"') {
                        Some(after) => {
                            field.push('"');
                            rest = after;
                        }
                        None => return Ok((field.replace("\r\n", "\n"), after)),
                    }
                }
                None => {
                    field.push_str(rest);
                    rest = self.next_line().ok_or_else(|| self.stray_quote())?;
                }
            }
        }
    }

    fn stray_quote(&self) -> String {
        format!("extraneous or missing \" in quoted field on line {}", self.line - 1)
    }
}

fn trim_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}
