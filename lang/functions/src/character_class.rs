//! The names of classes of characters in regular expressions.

use regex::Regex;

/// Whether there is a POSIX class of that name.
pub(crate) fn is_posix(name: &str) -> bool {
    matches!(
        name,
        "alnum"
            | "alpha"
            | "ascii"
            | "blank"
            | "cntrl"
            | "digit"
            | "graph"
            | "lower"
            | "print"
            | "punct"
            | "space"
            | "upper"
            | "word"
            | "xdigit"
    )
}

/// The inside of a class of a general category or a script, which are the names there are.
pub(crate) fn unicode_name(name: &str) -> Option<String> {
    const CATEGORIES: [&str; 36] = [
        "C", "Cc", "Cf", "Co", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl",
        "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp",
        "Zs", "Any",
    ];
    match name {
        "Any" => return Some(r"\x{0}-\x{10FFFF}".to_owned()),
        "C" => return Some(r"\p{Cc}\p{Cf}\p{Co}".to_owned()),
        "Cs" => return Some("[a&&b]".to_owned()),
        name if CATEGORIES.contains(&name) => return Some(format!(r"\p{{{name}}}")),
        _ => {}
    }
    let capitalised = name.len() > 2
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
    let class = format!(r"\p{{Script={name}}}");
    (capitalised && Regex::new(&class).is_ok()).then_some(class)
}
