//! Text in other encodings than UTF-8.
//!
//! Names are those of the IANA registry. Encodings that web pages use come from `encoding_rs`, old code pages from
//! `oem_cp`; a few are written out here because those differ from the registry: ISO 8859-1 has control characters where
//! web pages have quotation marks.

use base64::Engine as _;
use encoding_rs::Encoding;
use oem_cp::code_table::{DECODING_TABLE_CP_MAP, ENCODING_TABLE_CP_MAP};
use plumb_model::{Type, Value};

use crate::ebcdic::{self, Page};
use crate::encoding::{BASE64, decode_base64, not_base64};
use crate::error::FunctionError;
use crate::signature::{Call, Function, Outcome, parameter};

pub(crate) fn functions() -> Vec<Function> {
    let text = |name, description| parameter(name, Type::String, description);
    let encoding = || text("encoding", "The name of the encoding, such as `UTF-16LE`.");
    vec![
        Function::new("textencodebase64", Type::String, encode)
            .describe("Encodes a string in a character encoding, and the result as Base64.")
            .takes(text("string", "The string to encode."))
            .takes(encoding()),
        Function::new("textdecodebase64", Type::String, decode)
            .describe("Decodes Base64, and the result from a character encoding.")
            .takes(text("source", "The Base64 text."))
            .takes(encoding()),
    ]
}

/// A character encoding.
#[derive(Clone, Copy)]
enum Charset {
    Utf8,
    Ascii,
    Latin1,
    Utf16 {
        big_endian: bool,
        mark: bool,
    },
    Web(&'static Encoding),
    CodePage(u16),
    Ebcdic(&'static Page),
    /// Chinese between escapes, in seven bits.
    Hz,
}

fn charset(name: &str) -> Option<Charset> {
    let lower = name.to_ascii_lowercase();
    if let Some(page) = lower.strip_prefix("ibm").or_else(|| lower.strip_prefix("cp")) {
        return code_page(page);
    }
    Some(match lower.as_str() {
        "utf-8" | "csutf8" => Charset::Utf8,
        "us-ascii" | "iso-ir-6" | "ansi_x3.4-1968" | "ansi_x3.4-1986" | "iso646-us" | "us" | "csascii" => {
            Charset::Ascii
        }
        "iso-8859-1" | "iso_8859-1:1987" | "iso_8859-1" | "iso-ir-100" | "latin1" | "l1" | "csisolatin1" => {
            Charset::Latin1
        }
        "utf-16" | "csutf16" => Charset::Utf16 { big_endian: true, mark: true },
        "utf-16be" | "csutf16be" => Charset::Utf16 { big_endian: true, mark: false },
        "utf-16le" | "csutf16le" => Charset::Utf16 { big_endian: false, mark: false },
        "hz-gb-2312" => Charset::Hz,
        // Names that web pages use and the registry does not have, or has for something else.
        "ascii" | "utf8" | "unicode" | "x-user-defined" | "replacement" | "iso-8859-8-i" => return None,
        lower => {
            let encoding = Encoding::for_label(lower.as_bytes())?;
            let stands_for_itself = encoding != encoding_rs::WINDOWS_1252 || lower.ends_with("windows-1252");
            let is_thai = lower == "tis-620" || lower == "iso-8859-11";
            if !stands_for_itself && !is_thai {
                return None;
            }
            Charset::Web(encoding)
        }
    })
}

fn code_page(page: &str) -> Option<Charset> {
    let number: u16 = page.trim_start_matches('0').parse().ok()?;
    match number {
        866 => Some(Charset::Web(encoding_rs::IBM866)),
        437 | 850 | 852 | 855 | 858 | 860 | 862 | 863 | 865 => Some(Charset::CodePage(number)),
        37 => Some(Charset::Ebcdic(&ebcdic::PAGE_37)),
        1047 => Some(Charset::Ebcdic(&ebcdic::PAGE_1047)),
        1140 => Some(Charset::Ebcdic(&ebcdic::PAGE_1140)),
        _ => None,
    }
}

fn find(call: &Call<'_>) -> Result<Charset, FunctionError> {
    let name = call.text(1);
    charset(name).ok_or_else(|| {
        FunctionError::argument(1, format!("{name:?} is not a supported IANA encoding name or alias"))
    })
}

fn encode(call: &Call<'_>) -> Outcome {
    let charset = find(call)?;
    let bytes = charset.encode(call.text(0)).ok_or_else(|| {
        FunctionError::argument(
            0,
            format!("the given string contains characters that cannot be represented in {}", call.text(1)),
        )
    })?;
    Ok(Value::string(BASE64.encode(bytes)))
}

fn decode(call: &Call<'_>) -> Outcome {
    let charset = find(call)?;
    let bytes = decode_base64(call.text(0)).ok_or_else(|| not_base64(0))?;
    charset.decode(&bytes).map(Value::from).ok_or_else(|| {
        FunctionError::argument(
            0,
            format!("the given string contains symbols that are not defined for {}", call.text(1)),
        )
    })
}

impl Charset {
    fn encode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Charset::Utf8 => Some(text.as_bytes().to_vec()),
            Charset::Ascii => text.is_ascii().then(|| text.as_bytes().to_vec()),
            Charset::Latin1 => text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect(),
            Charset::Utf16 { big_endian, mark } => {
                let mark = mark.then_some(0xfeff);
                let bytes = |unit: u16| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() };
                Some(mark.into_iter().chain(text.encode_utf16()).flat_map(bytes).collect())
            }
            Charset::Web(encoding) => {
                let (bytes, _, unmappable) = encoding.encode(text);
                (!unmappable).then(|| bytes.into_owned())
            }
            Charset::Ebcdic(page) => text.chars().map(|c| page.encode(c)).collect(),
            Charset::CodePage(page) => {
                let table = ENCODING_TABLE_CP_MAP.get(&page)?;
                oem_cp::encode_string_checked(text, table)
            }
            Charset::Hz => encode_hz(text),
        }
    }

    fn decode(self, bytes: &[u8]) -> Option<String> {
        match self {
            Charset::Utf8 => String::from_utf8(bytes.to_vec()).ok(),
            Charset::Ascii => bytes.is_ascii().then(|| bytes.iter().map(|b| char::from(*b)).collect()),
            Charset::Latin1 => Some(bytes.iter().map(|b| char::from(*b)).collect()),
            Charset::Utf16 { big_endian, mark } => decode_utf16(bytes, big_endian, mark),
            Charset::Web(encoding) => encoding
                .decode_without_bom_handling_and_without_replacement(bytes)
                .map(|text| text.into_owned()),
            Charset::Ebcdic(page) => Some(bytes.iter().map(|b| page.decode(*b)).collect()),
            Charset::CodePage(page) => {
                let table = DECODING_TABLE_CP_MAP.get(&page)?;
                table.decode_string_checked(bytes)
            }
            Charset::Hz => decode_hz(bytes),
        }
    }
}

fn decode_utf16(bytes: &[u8], big_endian: bool, mark: bool) -> Option<String> {
    let (big_endian, bytes) = match bytes {
        [0xfe, 0xff, rest @ ..] if mark => (true, rest),
        [0xff, 0xfe, rest @ ..] if mark => (false, rest),
        bytes => (big_endian, bytes),
    };
    let (pairs, rest) = bytes.as_chunks::<2>();
    let unit =
        |pair: &[u8; 2]| if big_endian { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) };
    let units: Vec<u16> = pairs.iter().map(unit).collect();
    if rest.is_empty() { String::from_utf16(&units).ok() } else { None }
}

/// GB 2312 characters between `~{` and `~}`, in seven bits.
fn encode_hz(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut shifted = false;
    for c in text.chars() {
        if c.is_ascii() {
            if shifted {
                out.extend(b"~}");
                shifted = false;
            }
            out.push(c as u8);
            if c == '~' {
                out.push(b'~');
            }
            continue;
        }
        let mut buffer = [0; 4];
        let (bytes, _, unmappable) = encoding_rs::GBK.encode(c.encode_utf8(&mut buffer));
        match bytes.as_ref() {
            [high @ 0xa1..=0xf7, low @ 0xa1..=0xfe] if !unmappable => {
                if !shifted {
                    out.extend(b"~{");
                    shifted = true;
                }
                out.extend([high & 0x7f, low & 0x7f]);
            }
            _ => return None,
        }
    }
    Some(out)
}

fn decode_hz(bytes: &[u8]) -> Option<String> {
    let mut out = Vec::new();
    let mut shifted = false;
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        rest = match (shifted, first, after) {
            (false, b'~', [b'{', after @ ..]) => {
                shifted = true;
                after
            }
            (false, b'~', [b'~', after @ ..]) => {
                out.push(b'~');
                after
            }
            (false, b'~', [b'\n', after @ ..]) => after,
            (true, b'~', [b'}', after @ ..]) => {
                shifted = false;
                after
            }
            (true, high, [low, after @ ..]) if *high < 0x80 && *low < 0x80 => {
                out.extend([high | 0x80, low | 0x80]);
                after
            }
            (false, byte, after) if byte.is_ascii() && *byte != b'~' => {
                out.push(*byte);
                after
            }
            _ => return None,
        };
    }
    encoding_rs::GBK.decode_without_bom_handling_and_without_replacement(&out).map(|text| text.into_owned())
}
