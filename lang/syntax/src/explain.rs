//! Why a text does not match the grammar, in the author's words.
//!
//! The grammar says at which token a run of tokens ceases to match. What that means follows from the token, from the one
//! before it, and from what kind of thing is being read ([`Place`]). Names of grammar rules are never shown, and no more
//! than three things that would have been right.

use ecow::{EcoString, eco_format};
use plumb_model::{Diagnostic, Span};

use crate::origin::Origin;
use crate::token::{Token, kind};
use crate::tree::MAX_DEPTH;

/// What is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// An attribute or a block.
    Item,
    /// The one attribute of a block on one line.
    OneLine,
    /// An element of a tuple.
    Element,
    /// An entry of an object.
    Entry,
    /// An argument of a function.
    Argument,
    /// What is in parentheses.
    Paren,
    /// What is in the brackets of an index.
    Index,
    /// What is in `${ }`.
    Interpolation,
    /// What is in `%{ if … }`.
    DirectiveIf,
    /// What is in `%{ for … }`.
    DirectiveFor,
    /// `[for … ]`
    ForTuple,
    /// `{for … }`
    ForObject,
    /// A text that is one expression.
    Expression,
}

/// The tokens that do not match.
pub struct Trouble<'a> {
    /// The text that the tokens are of.
    pub text: &'a str,
    /// Where it is from.
    pub origin: &'a Origin,
    /// The tokens.
    pub tokens: &'a [Token],
    /// Their kinds.
    pub kinds: &'a [u8],
    /// What ends the run, as it is called in messages.
    pub end: &'static str,
}

impl Trouble<'_> {
    fn kind(&self, at: usize) -> Option<u8> {
        self.kinds.get(at).copied()
    }

    fn before(&self, at: usize) -> Option<u8> {
        at.checked_sub(1).and_then(|before| self.kind(before))
    }

    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &self.text[token.start as usize..token.end as usize])
    }

    /// The place of a token; behind the last, the place where the run ends.
    fn span(&self, at: usize) -> Span {
        match self.tokens.get(at) {
            Some(token) => {
                let end = if self.kinds[at] == kind::NEWLINE { token.start } else { token.end };
                self.origin.span(token.start, end)
            }
            None => {
                let end = self.tokens.last().map_or(0, |token| token.end);
                self.origin.span(end, end)
            }
        }
    }

    fn over(&self, first: usize, last: usize) -> Span {
        self.span(first).to(self.span(last))
    }

    /// Whether there is nothing between a token and the one before it.
    fn touches(&self, at: usize) -> bool {
        self.tokens[at - 1].end == self.tokens[at].start
    }

    /// A token as it is called in messages.
    fn found(&self, at: usize) -> EcoString {
        match self.kind(at) {
            None => self.end.into(),
            Some(kind::NEWLINE) => "the end of the line".into(),
            Some(kind::STRING) => "a string".into(),
            Some(kind::TEMPLATE) if self.text(at).starts_with("<<") => "a heredoc".into(),
            Some(kind::TEMPLATE) => "a string with interpolation".into(),
            Some(kind::PAREN) => "`(`".into(),
            Some(kind::BRACKET) => "`[`".into(),
            Some(kind::BRACE | kind::BLOCK) => "`{`".into(),
            Some(_) => eco_format!("`{}`", self.text(at)),
        }
    }
}

/// Says why a run of tokens ceases to match at a token.
pub fn explain(trouble: &Trouble, place: Place, at: usize) -> Diagnostic {
    if let Place::ForTuple | Place::ForObject | Place::DirectiveFor = place
        && let Some(diagnostic) = explain_for(trouble, place)
    {
        return diagnostic;
    }
    if let Place::Item | Place::OneLine = place
        && let Some(diagnostic) = explain_item(trouble, place)
    {
        return diagnostic;
    }
    explain_expression(trouble, place, at)
}

fn explain_expression(trouble: &Trouble, place: Place, at: usize) -> Diagnostic {
    let found = trouble.kind(at);
    match (trouble.before(at), found) {
        (_, Some(b'.' | kind::SAFE_DOT)) if at > 0 && !trouble.before(at).is_some_and(expects_operand) => {
            missing_attribute_name(trouble, at)
        }
        (Some(b'.' | kind::SAFE_DOT), _) => missing_attribute_name(trouble, at - 1),
        (Some(before), _) if expects_operand(before) && !found.is_some_and(kind::begins_expression) => {
            missing_operand(trouble, at)
        }
        (None, _) => not_an_expression(trouble, at),
        _ if has_lone_question(&trouble.kinds[..at]) => Diagnostic::error(
            "missing-false-expression",
            "Missing false expression in conditional",
        )
        .detail(eco_format!(
            "Found {}, wanted `:` and the value for when the condition does not hold.",
            trouble.found(at)
        ))
        .at(trouble.span(at))
        .help("Complete it: `condition ? value : other`. Over several lines it has to be in parentheses."),
        _ => extra(trouble, place, at),
    }
}

/// Whether an operand has to follow.
fn expects_operand(kind: u8) -> bool {
    kind::is_infix(kind) || matches!(kind, b'=' | b':' | b'?' | b',' | b'!' | kind::ARROW | kind::ELLIPSIS)
}

/// Whether there is a `?` without its `:`.
fn has_lone_question(kinds: &[u8]) -> bool {
    let (mut open, mut lone) = (0usize, false);
    for kind in kinds {
        match kind {
            b'?' => (open, lone) = (open + 1, true),
            b':' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    lone && open > 0
}

fn missing_attribute_name(trouble: &Trouble, dot: usize) -> Diagnostic {
    Diagnostic::error("invalid-attribute-name", "Invalid attribute name")
        .detail(eco_format!(
            "Found {} behind the dot, wanted the name of an attribute.",
            trouble.found(dot + 1)
        ))
        .label(trouble.span(dot), "a name must follow this dot")
        .help("Write a name, `.id`, or an index in brackets, `[0]`.")
}

fn invalid_expression(trouble: &Trouble, at: usize) -> Diagnostic {
    Diagnostic::error("invalid-expression", "Invalid expression").at(trouble.span(at))
}

fn missing_operand(trouble: &Trouble, at: usize) -> Diagnostic {
    let operator = trouble.text(at - 1);
    let detail = eco_format!("Found {} behind `{operator}`, wanted an expression.", trouble.found(at));
    let diagnostic = invalid_expression(trouble, at).detail(detail);
    let operators = (trouble.before(at), trouble.kind(at));
    match operators {
        (Some(b'*'), Some(b'*')) => diagnostic.help("For powers write `pow(base, exponent)`."),
        (Some(kind::EQUAL | kind::NOT_EQUAL), Some(b'=')) => {
            diagnostic.help(eco_format!("Did you mean `{operator}`? It compares type and value."))
        }
        (Some(b'<'), Some(b'>')) => diagnostic.help("Did you mean `!=`?"),
        (Some(b'<'), Some(b'<')) => {
            diagnostic.help("A heredoc begins with `<<`, a word, and at once the end of the line.")
        }
        (Some(b'+'), Some(b'+')) | (Some(b'='), Some(b'=')) => diagnostic.help("Remove one of them."),
        (_, None | Some(kind::NEWLINE)) if trouble.end != "the end" => {
            diagnostic.help("Write it in the same line, or put parentheses around the whole expression.")
        }
        (Some(b','), _) => diagnostic.help("Remove the comma, or write an expression behind it."),
        _ => diagnostic.help(eco_format!("Write a value behind `{operator}`, or remove it.")),
    }
}

fn not_an_expression(trouble: &Trouble, at: usize) -> Diagnostic {
    let detail = eco_format!("Found {}, wanted an expression.", trouble.found(at));
    let diagnostic = invalid_expression(trouble, at).detail(detail);
    match (trouble.kind(at), trouble.kind(at + 1)) {
        (Some(b'.'), Some(kind::NUMBER)) => diagnostic
            .help(eco_format!("Write the number with its leading zero: `0.{}`.", trouble.text(at + 1))),
        (Some(b'*'), None) => diagnostic.help("`[*]` takes parts of each element: `list[*].name`."),
        (Some(kind::NAMESPACE), _) => diagnostic.help("Write the namespace before `::`, or no `::`."),
        (Some(kind::ELLIPSIS), _) => diagnostic.help("`...` goes behind the last argument of a function."),
        (Some(b'+'), _) => diagnostic.help("Numbers are positive without a sign; remove the `+`."),
        _ => diagnostic.help("Write a value, a reference, or a function call."),
    }
}

/// A whole expression has been read, and something is behind it that does not belong there.
fn extra(trouble: &Trouble, place: Place, at: usize) -> Diagnostic {
    let found = trouble.found(at);
    let span = trouble.span(at);
    let error = |code, summary: &'static str, wanted: &str| {
        Diagnostic::error(code, summary).detail(eco_format!("Found {found}, wanted {wanted}.")).at(span)
    };
    let begins = trouble.kind(at).is_some_and(kind::begins_expression);
    if trouble.kind(at) == Some(kind::NAMESPACE) {
        return missing_arguments(span);
    }
    let diagnostic = match place {
        Place::Element if begins => {
            let before = trouble.span(at - 1).end;
            let place = Span { start: before, end: before, ..span };
            error("missing-separator", "Missing item separator", "a comma before the next element")
                .suggest(place, ",", false)
                .help("Put a comma between the elements.")
        }
        Place::Entry => return extra_in_entry(trouble, at),
        Place::Argument
            if trouble.before(at) == Some(kind::ELLIPSIS) || trouble.kind(at) == Some(kind::ELLIPSIS) =>
        {
            Diagnostic::error("argument-after-expansion", "Missing closing parenthesis")
                .detail("Found something behind `...`, wanted `)` directly behind it.")
                .at(span)
                .help("Only the last argument can be expanded.")
        }
        Place::Argument if begins => {
            error("missing-separator", "Missing argument separator", "a comma or `)`")
                .help("Put a comma between the arguments.")
        }
        Place::Paren => error("unbalanced-parentheses", "Unbalanced parentheses", "`)`")
            .help("Close the parenthesis here, or put an operator between the two expressions."),
        Place::Index => error("invalid-index-syntax", "Missing close bracket on index", "`]`")
            .help("An index is one expression in brackets."),
        Place::Interpolation => {
            let diagnostic = error(
                "extra-in-interpolation",
                "Extra characters after interpolation expression",
                "`}` behind the expression",
            );
            return diagnostic.help(
                "If this is for a shell or another language, write `$${` so that it is taken as text.",
            );
        }
        Place::DirectiveIf | Place::DirectiveFor => {
            error("extra-in-directive", "Extra characters in directive", "`}`")
                .help("A directive ends behind its expression.")
        }
        Place::Item | Place::OneLine => {
            error("missing-newline", "Missing newline after argument", "the end of the line")
                .help("Begin a new line for the next argument.")
        }
        Place::ForTuple | Place::ForObject => {
            error("invalid-for", "Invalid 'for' expression", "the end of the `for`")
                .help("A `for` ends behind its result, or behind `if` and a condition.")
        }
        _ => error("extra-characters", "Extra characters after expression", "the end of the expression")
            .help("Put an operator between the two, or remove the second."),
    };
    hint_for(trouble, at).map_or(diagnostic.clone(), |hint| diagnostic.help(hint))
}

/// What an author who knows another language may have meant.
fn hint_for(trouble: &Trouble, at: usize) -> Option<EcoString> {
    let hint = match trouble.text(at) {
        "and" | "AND" => "Did you mean `&&`?".into(),
        "or" | "OR" => "Did you mean `||`?".into(),
        "not" | "NOT" => "Did you mean `!`?".into(),
        "then" | "if" | "else" => "Did you mean `condition ? value : other`?".into(),
        "contains" | "in" => "Did you mean `contains(list, value)`?".into(),
        "=" => "Did you mean `==`?".into(),
        text if text.starts_with('x') && trouble.text(at.wrapping_sub(1)) == "0" => {
            let digits = &text[1..];
            eco_format!("Numbers are decimal; write `parseint(\"{digits}\", 16)`.")
        }
        text if text.starts_with('_') && trouble.before(at) == Some(kind::NUMBER) => {
            "Digits of a number are not grouped.".into()
        }
        ";" => "Use line breaks and commas.".into(),
        "where" => {
            "Conditions of types are understood in `.cfg` files; in `.tf` files write a `validation` block."
                .into()
        }
        _ => return None,
    };
    Some(hint)
}

fn extra_in_entry(trouble: &Trouble, at: usize) -> Diagnostic {
    let found = trouble.found(at);
    let colon_or_equals = |kind: &u8| matches!(kind, b'=' | b':');
    if !trouble.kinds[..at].iter().any(colon_or_equals) {
        return Diagnostic::error("missing-value", "Missing attribute value")
            .detail(eco_format!("Found {found}, wanted `=` and a value for the key."))
            .at(trouble.span(at))
            .help(match trouble.kind(at) {
                Some(kind::ARROW) => "Write `=`; `=>` belongs in `for`.",
                _ => "Write `key = value`.",
            });
    }
    let diagnostic = Diagnostic::error("missing-separator", "Missing attribute separator")
        .detail(eco_format!("Found {found}, wanted a comma or a line break before the next key."))
        .at(trouble.span(at));
    match hint_for(trouble, at).filter(|_| trouble.text(at) != "=") {
        Some(hint) => diagnostic.help(hint),
        None => diagnostic.help("Put a comma between the entries, or write each in its own line."),
    }
}

/// Trouble with the shape of an attribute or a block, rather than with the value of an attribute.
fn explain_item(trouble: &Trouble, place: Place) -> Option<Diagnostic> {
    let error =
        |code, summary: &'static str, at: usize| Diagnostic::error(code, summary).at(trouble.span(at));
    let first = trouble.kind(0)?;
    if !kind::is_word(first) {
        return Some(match (first, trouble.kind(1)) {
            (kind::STRING | kind::TEMPLATE, Some(b'=' | b':')) => {
                error("invalid-argument-name", "Invalid argument name", 0)
                    .detail("The names of arguments are not quoted.")
                    .help("Remove the quotes.")
            }
            _ => error("item-required", "Argument or block definition required", 0)
                .detail(eco_format!("Found {}, wanted an argument or a block.", trouble.found(0)))
                .help(match first {
                    kind::BLOCK => "`{` belongs in the line of the block's kind and labels.",
                    _ => "Write `name = value`, or `kind \"label\" {` and `}`.",
                }),
        });
    }
    let word = trouble.text(0);
    match trouble.kind(1) {
        Some(b'=') => {
            let comma = trouble.kinds.iter().position(|kind| *kind == b',');
            let comma =
                comma.filter(|comma| *comma > 2 && !trouble.before(*comma).is_some_and(expects_operand))?;
            Some(if place == Place::OneLine {
                one_line(trouble.span(comma))
            } else {
                error("unexpected-comma", "Unexpected comma after argument", comma)
                    .detail("Arguments are separated by line breaks; commas are for elements in brackets.")
                    .help("Remove the comma.")
                    .suggest(trouble.span(comma), "", comma + 1 == trouble.kinds.len())
            })
        }
        Some(b':') => Some(
            error("colon-for-equals", "Invalid argument definition", 1)
                .detail(eco_format!("Found `:` behind `{word}`, wanted `=`."))
                .help("Write `=`.")
                .suggest(trouble.span(1), if trouble.touches(1) { " =" } else { "=" }, true),
        ),
        Some(b'.') => Some(
            error("invalid-argument-name", "Invalid argument name", 1)
                .detail("The names of arguments have no dots.")
                .help(eco_format!(
                    "To set a part of `{word}`, write `{word} = {{ … }}` or a block `{word} {{ … }}`."
                )),
        ),
        None => Some(
            error("incomplete-item", "Invalid argument or block definition", 0)
                .detail(eco_format!("`{word}` stands alone; wanted `=` and a value, or a block."))
                .help(eco_format!("Write `{word} = …` or `{word} {{` and `}}`.")),
        ),
        _ => Some(explain_header(trouble)),
    }
}

/// A line that begins like a block.
fn explain_header(trouble: &Trouble) -> Diagnostic {
    let label = |kind: u8| kind::is_word(kind) || kind == kind::STRING;
    let at = 1 + trouble.kinds[1..].iter().take_while(|kind| label(**kind)).count();
    let header = trouble.over(0, at.saturating_sub(1));
    let error = |code, summary: &'static str| Diagnostic::error(code, summary);
    match trouble.kind(at) {
        Some(kind::TEMPLATE) => error("invalid-label", "Invalid string literal")
            .detail("Labels are fixed texts; interpolation is not possible in them.")
            .at(trouble.span(at))
            .help("Write the name itself. For several similar blocks use `for_each`."),
        Some(kind::BLOCK | kind::BRACE) => error("missing-newline", "Missing newline after block definition")
            .detail(eco_format!(
                "Found {} behind the block, wanted the end of the line.",
                trouble.found(at + 1)
            ))
            .at(trouble.span(at + 1))
            .help("Begin a new line."),
        Some(b'=') => error("invalid-block", "Invalid block definition")
            .detail("Found `=` behind a label, wanted `{`.")
            .label(trouble.span(at), "")
            .label(header, "this begins like a block")
            .help("An argument has one name before its `=`; a block has no `=` before its `{`."),
        None => error("invalid-block", "Invalid block definition")
            .detail("The line ends without the `{` of the block.")
            .label(header, "a `{` must follow in this line")
            .help("Write `{` behind the labels, in the same line."),
        Some(_) => error("invalid-block", "Invalid block definition")
            .detail(eco_format!("Found {}, wanted a label or `{{`.", trouble.found(at)))
            .at(trouble.span(at))
            .help("Labels are names or strings. If this is an argument, `=` is missing behind its name."),
    }
}

/// Trouble with the words of a `for`. `None` if it is with the expressions in it.
fn explain_for(trouble: &Trouble, place: Place) -> Option<Diagnostic> {
    let invalid = |at: usize, detail: EcoString, help: &str| {
        Some(
            Diagnostic::error("invalid-for", "Invalid 'for' expression")
                .detail(detail)
                .at(trouble.span(at))
                .help(help),
        )
    };
    let shape = match place {
        Place::ForTuple => "Write `[for value in collection : result]`.",
        Place::ForObject => "Write `{for key, value in collection : key => result}`.",
        _ => "Write `%{ for value in collection }`.",
    };
    let word = |at: usize| trouble.kind(at).is_some_and(kind::is_word);
    if !word(1) {
        let help = match (place, trouble.kind(1)) {
            (Place::ForObject, Some(b'=' | b':')) => "To use `for` as a key, write `\"for\"`.",
            _ => shape,
        };
        return invalid(
            1,
            eco_format!("Found {} behind `for`, wanted the name of a variable.", trouble.found(1)),
            help,
        );
    }
    let mut at = 2;
    if trouble.kind(at) == Some(b',') {
        if !word(3) || trouble.kind(3) == Some(kind::IN) && trouble.kind(4) != Some(kind::IN) {
            let detail = eco_format!(
                "Found {} behind the comma, wanted the name of a second variable.",
                trouble.found(3)
            );
            return invalid(3, detail, shape);
        }
        at = 4;
    }
    if trouble.kind(at) != Some(kind::IN) {
        let detail = eco_format!("Found {}, wanted `in` and the collection.", trouble.found(at));
        return invalid(at, detail, shape);
    }
    if place == Place::DirectiveFor {
        return None;
    }
    let arrow = trouble.kinds.iter().position(|kind| *kind == kind::ARROW);
    let ellipsis = trouble.kinds.iter().position(|kind| *kind == kind::ELLIPSIS);
    let Some(colon) = trouble.kinds.iter().position(|kind| *kind == b':') else {
        let end = trouble.kinds.len();
        let extra = (at + 2..end).find(|i| operand_ends_before(trouble.kinds, *i)).unwrap_or(end);
        let detail = eco_format!("Found {}, wanted `:` behind the collection.", trouble.found(extra));
        return invalid(extra, detail, shape);
    };
    if trouble.kinds.last() == Some(&kind::IF) && colon + 2 < trouble.kinds.len() {
        let end = trouble.kinds.len();
        return invalid(
            end,
            "Found the end behind `if`, wanted a condition.".into(),
            "Write a condition, or remove `if`.",
        );
    }
    match (place, arrow, ellipsis) {
        (Place::ForTuple, Some(arrow), _) => invalid(
            arrow,
            "A key stands in a `for` that makes a tuple.".into(),
            "Use braces for an object, `{for … : key => value}`, or remove the key.",
        ),
        (Place::ForTuple, None, Some(ellipsis)) => invalid(
            ellipsis,
            "Only a `for` that makes an object can group results by key.".into(),
            "Use braces and a key, `{for … : key => value...}`, or remove the `...`.",
        ),
        (Place::ForObject, None, _)
            if !expects_operand(*trouble.kinds.last()?) && colon + 1 < trouble.kinds.len() =>
        {
            let end = trouble.kinds.len();
            invalid(end, "A `for` that makes an object needs a key for each value.".into(), shape)
        }
        _ => None,
    }
}

/// Whether an operand ends before a token and another begins with it.
fn operand_ends_before(kinds: &[u8], at: usize) -> bool {
    let before = kinds[at - 1];
    (kind::is_word(before)
        || matches!(before, kind::NUMBER | kind::STRING | kind::PAREN | kind::BRACKET | kind::BRACE))
        && (kind::is_word(kinds[at]) || matches!(kinds[at], kind::NUMBER | kind::STRING | kind::TEMPLATE))
}

/// Nothing stands where an expression is wanted.
pub fn nothing(place: Place, span: Span) -> Diagnostic {
    let (where_, help) = match place {
        Place::Interpolation => {
            ("`${ }`", "Write an expression in it; to mean the text `${` itself, write `$${`.")
        }
        Place::Index => {
            ("the brackets of this index", "Write a number or a key in it, or `*` for each element.")
        }
        Place::Paren => ("these parentheses", "Write an expression in them, or remove them."),
        _ => ("it", "Write an expression."),
    };
    Diagnostic::error("invalid-expression", "Invalid expression")
        .detail(eco_format!("Found nothing in {where_}, wanted an expression."))
        .at(span)
        .help(help)
}

/// Two separators stand side by side, or one at the start.
pub fn empty_piece(place: Place, separator: Span) -> Diagnostic {
    let wanted = match place {
        Place::Entry => "a key and its value",
        Place::Argument => "an argument",
        _ => "an element",
    };
    Diagnostic::error("invalid-expression", "Invalid expression")
        .detail(eco_format!("Found a separator with nothing before it, wanted {wanted}."))
        .at(separator)
        .help("Remove it. A comma goes behind what it ends, in the same line.")
}

/// The items of a block are as they should be, its line breaks are not.
pub fn misplaced_line_breaks(begins_with_line_break: bool, span: Span) -> Diagnostic {
    if begins_with_line_break {
        let end = Span { start: span.end, ..span };
        return Diagnostic::error("missing-newline", "Missing newline after argument")
            .detail("Found the `}` of the block in the line of its last item, wanted it in its own.")
            .at(end)
            .help("Begin a new line before the `}`.");
    }
    one_line(span)
}

fn one_line(span: Span) -> Diagnostic {
    Diagnostic::error("invalid-one-line-block", "Invalid single-argument block definition")
        .detail("A block in one line holds one argument and nothing else, and its `}` is in the same line.")
        .at(span)
        .help("Begin a new line behind `{`, and one for each argument and block.")
}

/// Something that only the native dialect has.
pub fn native_only(what: &str, span: Span) -> Diagnostic {
    let short: String = what.chars().take(20).collect();
    Diagnostic::error("needs-native-dialect", "Not available in Terraform's language")
        .detail(eco_format!(
            "`{short}` is understood in `.cfg` files; in `.tf` files it would mean nothing to Terraform."
        ))
        .at(span)
        .help(match what {
            "??" => "Write `coalesce(a, b)` or a conditional, or rename the file to `.cfg`.",
            "?." | "?[" => "Write `try(a.b, null)`, or rename the file to `.cfg`.",
            "..." => "Write `concat(…)` or `merge(…)`, or rename the file to `.cfg`.",
            _ => "Rename the file to `.cfg`.",
        })
}

/// `namespace::name` that is no call.
pub fn missing_arguments(span: Span) -> Diagnostic {
    Diagnostic::error("missing-arguments", "Missing open parenthesis")
        .detail("Found a name in a namespace, wanted a function call.")
        .at(span)
        .help("Behind `::` stands the name of a function, and behind that its arguments in parentheses.")
}

/// `condition ?` and nothing behind it.
pub fn missing_arms(span: Span) -> Diagnostic {
    Diagnostic::error("invalid-expression", "Invalid expression")
        .detail("The conditional ends behind its `?`; wanted two values.")
        .at(span)
        .help("Complete it: `condition ? value : other`. Types that may be null, `T?`, are understood in `.cfg` files.")
}

/// `...` alone in the type of an object of a `.tf` file.
pub fn open_object(span: Span) -> Diagnostic {
    native_only("...", span)
        .help("Remove it: in `.tf` files a value may always have more attributes than its object type.")
        .suggest(span, "", false)
}

/// Something is nested deeper than [`MAX_DEPTH`].
pub fn nested_too_deep(span: Span) -> Diagnostic {
    Diagnostic::error("nested-too-deep", "Nested too deeply")
        .detail(eco_format!(
            "Brackets, blocks and operators are nested more than {MAX_DEPTH} levels deep here."
        ))
        .at(span)
        .help("Give parts names with `locals`, or use functions such as `sum` and `anytrue` on lists.")
}

/// Something stands behind the keyword of `else`, `endif` or `endfor`.
pub fn extra_in_directive(keyword: &str, span: Span) -> Diagnostic {
    let help = match keyword {
        "else" => "There is no `else if`; nest an `if` within the `else`.",
        _ => "Remove what follows the keyword.",
    };
    Diagnostic::error("extra-in-directive", "Extra characters in directive")
        .detail(eco_format!("Nothing may stand behind `{keyword}`."))
        .at(span)
        .help(help)
}

/// An `else`, `endif` or `endfor` that nothing before it asks for.
pub fn unexpected_directive(keyword: &str, span: Span, opener: Option<Span>) -> Diagnostic {
    let summary = eco_format!("Unexpected {keyword} directive");
    let diagnostic = Diagnostic::error("unbalanced-directives", summary)
        .detail(match opener {
            Some(_) => eco_format!("`{keyword}` does not fit the directive that is open here."),
            None => eco_format!("No directive is open that `{keyword}` could belong to."),
        })
        .at(span);
    match opener {
        Some(opener) => diagnostic.label(opener, "this is open"),
        None => diagnostic,
    }
    .help("Remove it, or open what it belongs to: `%{ if … }` or `%{ for … }`.")
}

/// A `%{ if … }` or `%{ for … }` that is not ended.
pub fn unclosed_directive(is_for: bool, span: Span) -> Diagnostic {
    let (opener, closer) = if is_for { ("for", "endfor") } else { ("if", "endif") };
    Diagnostic::error("unbalanced-directives", "Unexpected end of template")
        .detail(eco_format!("The template ends before the `{closer}` of this `{opener}`."))
        .at(span)
        .help(eco_format!("Add `%{{ {closer} }}`."))
}
