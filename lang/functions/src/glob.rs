//! Patterns of file names.
//!
//! `*` stands for any characters of a name and `?` for one, `[a-z]` for one of a class and `[^a-z]` for one that is not in
//! it, `{a,b}` for either; `**` as a whole segment stands for any number of directories. A backslash takes the meaning
//! from what follows it. Segments are divided at slashes first, so an alternative cannot contain one.

/// A pattern, segment by segment.
#[derive(Clone, Debug)]
pub(crate) struct Glob(pub Vec<Segment>);

/// What one name on the way must be.
#[derive(Clone, Debug)]
pub(crate) enum Segment {
    /// Any number of directories, or none.
    AnyDepth,
    /// A name without anything special.
    Name(String),
    /// A name that fits.
    Pattern(Vec<Token>),
}

#[derive(Clone, Debug)]
pub(crate) enum Token {
    Literal(char),
    One,
    Any,
    Class { negated: bool, ranges: Vec<(char, char)> },
    Either(Vec<Vec<Token>>),
}

/// Nothing can be said about where a pattern is wrong that its author would not see at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError;

impl Glob {
    pub fn parse(pattern: &str) -> Result<Glob, SyntaxError> {
        let segments = pattern.split('/').filter(|part| !part.is_empty() && *part != ".");
        let mut segments = segments.map(segment).collect::<Result<Vec<_>, _>>()?;
        segments.dedup_by(|a, b| matches!((a, b), (Segment::AnyDepth, Segment::AnyDepth)));
        Ok(Glob(segments))
    }
}

fn segment(text: &str) -> Result<Segment, SyntaxError> {
    if text == "**" {
        return Ok(Segment::AnyDepth);
    }
    let mut chars = text.chars().collect::<Vec<_>>().into_iter().peekable();
    let tokens = tokens(&mut chars, false)?;
    let name: Option<String> = tokens
        .iter()
        .map(|token| match token {
            Token::Literal(c) => Some(*c),
            _ => None,
        })
        .collect();
    Ok(name.map_or(Segment::Pattern(tokens), Segment::Name))
}

type Chars = std::iter::Peekable<std::vec::IntoIter<char>>;

/// Reads up to the end, or inside of an alternative up to what ends it, which is left.
fn tokens(chars: &mut Chars, inside: bool) -> Result<Vec<Token>, SyntaxError> {
    let mut tokens = Vec::new();
    while let Some(c) = chars.peek().copied() {
        if inside && matches!(c, ',' | '}') {
            break;
        }
        chars.next();
        tokens.push(match c {
            '?' => Token::One,
            '*' => {
                while chars.peek() == Some(&'*') {
                    chars.next();
                }
                Token::Any
            }
            '[' => class(chars)?,
            '{' => alternatives(chars)?,
            '\\' => Token::Literal(chars.next().ok_or(SyntaxError)?),
            c => Token::Literal(c),
        });
    }
    Ok(tokens)
}

fn alternatives(chars: &mut Chars) -> Result<Token, SyntaxError> {
    let mut choices = Vec::new();
    loop {
        choices.push(tokens(chars, true)?);
        match chars.next() {
            Some(',') => {}
            Some('}') => return Ok(Token::Either(choices)),
            _ => return Err(SyntaxError),
        }
    }
}

fn class(chars: &mut Chars) -> Result<Token, SyntaxError> {
    let negated = chars.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        match chars.next().ok_or(SyntaxError)? {
            ']' if !ranges.is_empty() => return Ok(Token::Class { negated, ranges }),
            ']' | '-' => return Err(SyntaxError),
            c => {
                let low = if c == '\\' { chars.next().ok_or(SyntaxError)? } else { c };
                let high = match chars.next_if_eq(&'-') {
                    None => low,
                    Some(_) => match chars.next().ok_or(SyntaxError)? {
                        '\\' => chars.next().ok_or(SyntaxError)?,
                        ']' | '-' => return Err(SyntaxError),
                        c => c,
                    },
                };
                ranges.push((low, high));
            }
        }
    }
}

impl Segment {
    /// Whether a name is one that the segment stands for.
    pub fn fits(&self, name: &str) -> bool {
        match self {
            Segment::AnyDepth => true,
            Segment::Name(wanted) => wanted == name,
            Segment::Pattern(tokens) => {
                let name: Vec<char> = name.chars().collect();
                ends(tokens, &name, &[0]).contains(&name.len())
            }
        }
    }
}

/// All places in a name where the tokens can end that begin at one of the given places. Following all possibilities at
/// once keeps the work proportional to name times pattern.
fn ends(tokens: &[Token], name: &[char], starts: &[usize]) -> Vec<usize> {
    let mut places = starts.to_vec();
    for token in tokens {
        let mut next: Vec<usize> = match token {
            Token::Any => match places.iter().min() {
                Some(first) => (*first..=name.len()).collect(),
                None => Vec::new(),
            },
            Token::Either(choices) => choices.iter().flat_map(|choice| ends(choice, name, &places)).collect(),
            token => {
                let fits = |at: &usize| name.get(*at).is_some_and(|c| token.fits(*c));
                places.iter().filter(|at| fits(at)).map(|at| at + 1).collect()
            }
        };
        next.sort_unstable();
        next.dedup();
        places = next;
    }
    places
}

impl Token {
    fn fits(&self, c: char) -> bool {
        match self {
            Token::Literal(wanted) => *wanted == c,
            Token::One => true,
            Token::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
            Token::Any | Token::Either(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, name: &str) -> bool {
        Glob::parse(pattern).unwrap().0[0].fits(name)
    }

    #[test]
    fn names_fit_patterns() {
        assert!(fits("*.txt", "a.txt") && fits("*.txt", ".txt") && !fits("*.txt", "a.tx"));
        assert!(fits("?.txt", "é.txt") && !fits("?.txt", ".txt"));
        assert!(fits("[a-c]x", "bx") && !fits("[^a-c]x", "bx") && fits("[!a]", "a"));
        assert!(fits("{a,b*}.t?t", "bcd.txt") && !fits("{a,b}.txt", "c.txt"));
        assert!(fits("\\[x\\]", "[x]"));
        assert!(!fits("a*a*a*a*a*a*a*a*a*a*b", &"a".repeat(200)));
    }

    #[test]
    fn unclosed_brackets_and_braces_are_errors() {
        for pattern in ["[", "{a", "[]", "[a-]", "a\\", "{sub/b,a}.txt"] {
            assert!(Glob::parse(pattern).is_err(), "{pattern}");
        }
    }
}
