//! The syntax tree: what a source text says, as plain data with places.
//!
//! A [`File`] is a [`Body`] of attributes and blocks; values of attributes are expressions ([`Expr`]). Everything that
//! depends on the lexical form alone is done here already: escapes are decoded, strings are in normal form C, heredocs
//! have lost their common indentation, and trim markers have been applied. What names mean is not known here.
//!
//! Nodes with children share them (`Arc`), so cloning an expression or a block costs the same whatever its size, and
//! later stages may keep parts of a tree without borrowing from it.
//!
//! Always true: an expression is nested at most [`MAX_DEPTH`] deep, so walks over it may recurse; each span lies within
//! the text and contains the spans of what is below it; where a text could not be understood stands
//! [`Item::Error`] or [`ExprKind::Error`], and a diagnostic says why.
//!
//! Elsewhere: making trees from text is [`crate::parse`]; what an expression mentions is [`crate::references`]; comments
//! and layout are not in the tree, [`crate::format`] works on tokens.

use std::fmt;
use std::sync::Arc;

use ecow::EcoString;
use plumb_model::{Number, SourceId, Span};

/// How deep expressions, brackets and blocks may be nested. Deeper texts are refused with one diagnostic.
pub const MAX_DEPTH: usize = 256;

/// Which language a text is written in. Both share one grammar; the native one has more forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `.tf`, `.tofu`, `.tfvars`: exactly what Terraform reads.
    Terraform,
    /// `.cfg`, edition 2026: also `??`, `?.`, `?[ ]`, spread, lines that begin with an operator, raw heredocs,
    /// `library::name`, and the type forms `T?`, `T where condition` and `{ …, ... }`.
    Native,
}

/// A source text as a tree.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// The text it was made from.
    pub source: SourceId,
    /// The language it was read as.
    pub dialect: Dialect,
    /// What is in it.
    pub body: Body,
}

/// A name and its place.
#[derive(Clone, PartialEq)]
pub struct Ident {
    /// The name, in normal form C.
    pub name: EcoString,
    /// Its place.
    pub span: Span,
}

impl Ident {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}..{}", self.name, self.span.start, self.span.end)
    }
}

/// Attributes and blocks in the order in which they are written.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// What is in it. An attribute may occur twice; a diagnostic then said so, and the first counts.
    pub items: Vec<Item>,
    /// Its place: between the braces, or the whole text.
    pub span: Span,
}

impl Body {
    /// The attributes, in order.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.items.iter().filter_map(|item| match item {
            Item::Attribute(attribute) => Some(attribute),
            _ => None,
        })
    }

    /// The blocks, in order.
    pub fn blocks(&self) -> impl Iterator<Item = &Arc<Block>> {
        self.items.iter().filter_map(|item| match item {
            Item::Block(block) => Some(block),
            _ => None,
        })
    }

    /// The first attribute of that name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes().find(|attribute| attribute.name.name == name)
    }

    /// The blocks of that kind, in order.
    pub fn blocks_of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Arc<Block>> {
        self.blocks().filter(move |block| block.kind.name == kind)
    }
}

/// One thing in a [`Body`].
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// `name = value`
    Attribute(Attribute),
    /// `kind "label" { … }`
    Block(Arc<Block>),
    /// Something that could not be understood; a diagnostic says why.
    Error(Span),
}

impl Item {
    /// Its place.
    pub fn span(&self) -> Span {
        match self {
            Item::Attribute(attribute) => attribute.span,
            Item::Block(block) => block.span,
            Item::Error(span) => *span,
        }
    }
}

/// `name = value`
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// The name.
    pub name: Ident,
    /// The value.
    pub value: Expr,
    /// From the name to the end of the value.
    pub span: Span,
}

/// `kind "label" { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The word that it begins with, for example `resource`.
    pub kind: Ident,
    /// The labels, in order.
    pub labels: Vec<BlockLabel>,
    /// What is between the braces.
    pub body: Body,
    /// From the kind to the last label; what messages about the whole block point at.
    pub header_span: Span,
    /// From the kind to the closing brace.
    pub span: Span,
}

/// A label of a block.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockLabel {
    /// The text, with escapes decoded.
    pub text: EcoString,
    /// Its place, including quotes.
    pub span: Span,
    /// Whether it was written in quotes.
    pub quoted: bool,
}

/// An expression and its place.
#[derive(Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its place.
    pub span: Span,
}

impl Expr {
    /// An expression of that kind at that place.
    pub fn new(kind: ExprKind, span: Span) -> Expr {
        Expr { kind, span }
    }

    /// The expression without parentheses around it.
    pub fn without_parens(&self) -> &Expr {
        let mut expr = self;
        while let ExprKind::Paren(inner) = &expr.kind {
            expr = inner;
        }
        expr
    }

    /// The static traversal that it is, if it is one: what `depends_on` and its like want.
    pub fn as_traversal(&self) -> Option<&Traversal> {
        match &self.kind {
            ExprKind::Traversal(traversal) => Some(traversal),
            _ => None,
        }
    }

    /// The bare word that it is, if it is one: what type constraints and keywords want.
    pub fn as_keyword(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Traversal(traversal) if traversal.steps.is_empty() => Some(&traversal.root.name),
            ExprKind::Null => Some("null"),
            ExprKind::Bool(true) => Some("true"),
            ExprKind::Bool(false) => Some("false"),
            _ => None,
        }
    }

    /// The text that it is, if it is a string without interpolation.
    pub fn as_string(&self) -> Option<&EcoString> {
        match &self.kind {
            ExprKind::String(text) => Some(text),
            _ => None,
        }
    }
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        write!(f, "@{}..{}", self.span.start, self.span.end)
    }
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number, exact to 512 bits.
    Number(Number),
    /// A quoted string or a heredoc without interpolations and directives.
    String(EcoString),
    /// A quoted string or a heredoc with interpolations or directives.
    Template(Arc<Template>),
    /// A name and literal steps: `local.subnets[0].id`. Also a name alone.
    Traversal(Arc<Traversal>),
    /// Steps that are not all literal, or that start at something other than a name.
    Access(Arc<Access>),
    /// `name(arguments…)`
    Call(Arc<Call>),
    /// `library::name`: native dialect only; a type or a constant of a library.
    Qualified(Arc<Qualified>),
    /// `[a, b]`. Elements may be [`ExprKind::Spread`] in the native dialect.
    Tuple(Arc<Tuple>),
    /// `{ a = b }`
    Object(Arc<Object>),
    /// `[for …]`, `{for …}`
    For(Arc<For>),
    /// `condition ? then : otherwise`
    Conditional(Arc<Conditional>),
    /// `left op right`
    Binary(Arc<Binary>),
    /// `-operand`, `!operand`
    Unary(Arc<Unary>),
    /// `(inner)`. Kept since it matters to object keys and to who edits the text.
    Paren(Arc<Expr>),
    /// `...value`: native dialect only; an element of a tuple, or the whole value of an attribute (`inputs = ...var`).
    Spread(Arc<Expr>),
    /// `T?`: native dialect only; a type that may be null. It has a meaning in types alone.
    Nullable(Arc<Expr>),
    /// `T where condition`: native dialect only; it has a meaning in types alone.
    Where(Arc<Where>),
    /// Something that could not be understood; a diagnostic says why.
    Error,
}

/// Text with interpolations and directives.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// The parts, in order. Literals that became empty by trimming are left out.
    pub parts: Vec<TemplatePart>,
    /// Whether the text was a single `${ }` and nothing else: the value is then that of the expression, of its own
    /// type, and not a string. `parts` is then one [`TemplatePart::Interpolation`].
    pub unwraps: bool,
    /// Whether it was written as a heredoc.
    pub heredoc: bool,
}

/// A part of a [`Template`].
#[derive(Clone, Debug, PartialEq)]
pub enum TemplatePart {
    /// Text as it is.
    Literal(EcoString),
    /// `${ value }`
    Interpolation(Expr),
    /// `%{ if … }`
    If(Arc<TemplateIf>),
    /// `%{ for … }`
    For(Arc<TemplateFor>),
}

/// `%{ if condition }…%{ else }…%{ endif }`
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateIf {
    /// The condition.
    pub condition: Expr,
    /// What comes if it holds.
    pub then: Vec<TemplatePart>,
    /// What comes if it does not; empty if there is no `else`.
    pub otherwise: Vec<TemplatePart>,
    /// From `%{ if` to the end of `endif }`.
    pub span: Span,
}

/// `%{ for key, value in collection }…%{ endfor }`
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateFor {
    /// The variable for keys or indices, if there is one.
    pub key: Option<Ident>,
    /// The variable for elements.
    pub value: Ident,
    /// What is iterated over; the variables are not in scope in it.
    pub collection: Expr,
    /// What comes once for each element.
    pub body: Vec<TemplatePart>,
    /// From `%{ for` to the end of `endfor }`.
    pub span: Span,
}

/// A name and literal steps from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Traversal {
    /// The name that it starts at.
    pub root: Ident,
    /// The steps; may be none.
    pub steps: Vec<TraversalStep>,
    /// From the root to the last step.
    pub span: Span,
}

impl Traversal {
    /// The name of a step, if it exists and is an attribute.
    pub fn attribute(&self, step: usize) -> Option<&Ident> {
        match self.steps.get(step) {
            Some(TraversalStep::Attribute(name)) => Some(name),
            _ => None,
        }
    }
}

impl fmt::Display for Traversal {
    /// As an author would write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.root.name)?;
        for step in &self.steps {
            match step {
                TraversalStep::Attribute(name) => write!(f, ".{name}")?,
                TraversalStep::Index(index, _) => write!(f, "[{index}]")?,
                TraversalStep::Key(key, _) => write!(f, "[{}]", crate::quote(key))?,
            }
        }
        Ok(())
    }
}

/// A literal step of a [`Traversal`].
#[derive(Clone, Debug, PartialEq)]
pub enum TraversalStep {
    /// `.name`; the span is that of the name.
    Attribute(Ident),
    /// `[0]`, or `.0` as it was once written; the span includes brackets or dot.
    Index(Number, Span),
    /// `["key"]`; the span includes the brackets.
    Key(EcoString, Span),
}

impl TraversalStep {
    /// Its place.
    pub fn span(&self) -> Span {
        match self {
            TraversalStep::Attribute(name) => name.span,
            TraversalStep::Index(_, span) | TraversalStep::Key(_, span) => *span,
        }
    }
}

/// Steps from the value of an expression: `f(x).a[i]`, `var.a[*].b`, `var.a?.b`.
///
/// As much as is literal at the start of a chain that begins with a name is a [`Traversal`] in `base`.
#[derive(Clone, Debug, PartialEq)]
pub struct Access {
    /// Where it starts.
    pub base: Expr,
    /// The steps; at least one. A splat is always the last of those that it governs: what comes after it within the
    /// splat is in [`AccessStep::Splat`], what comes after the splat as a whole follows here.
    pub steps: Vec<AccessStep>,
}

/// A step of an [`Access`].
#[derive(Clone, Debug, PartialEq)]
pub enum AccessStep {
    /// `.name`, `?.name`
    Attribute {
        /// The name.
        name: Ident,
        /// Whether null, instead of an error, comes from a null value or an absent optional attribute (`?.`). The
        /// steps that follow in the same chain are then not taken.
        optional: bool,
    },
    /// `[key]`, `.0`, `?[key]`
    Index {
        /// The key.
        key: Expr,
        /// As for [`AccessStep::Attribute`] (`?[`).
        optional: bool,
        /// The place, including brackets or dot.
        span: Span,
    },
    /// `[*]…`, `.*…`
    Splat {
        /// What is done with each element: for `[*]` all steps that follow, for `.*` the attributes and old-style
        /// indices that follow.
        each: Vec<AccessStep>,
        /// Whether it was written `[*]`, not `.*`.
        full: bool,
        /// The place of `[*]` or `.*`.
        span: Span,
    },
}

impl AccessStep {
    /// Its place; a splat's includes what is done with each element.
    pub fn span(&self) -> Span {
        match self {
            AccessStep::Attribute { name, .. } => name.span,
            AccessStep::Index { span, .. } => *span,
            AccessStep::Splat { each, span, .. } => each.last().map_or(*span, |last| span.to(last.span())),
        }
    }
}

/// `namespace::name(arguments…)`
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The names before `::`, for example `provider` and `aws`; mostly none.
    pub namespaces: Vec<Ident>,
    /// The name of the function.
    pub name: Ident,
    /// The arguments, in order.
    pub arguments: Vec<Expr>,
    /// The place of `...` behind the last argument, which is then a sequence of arguments.
    pub expand_final: Option<Span>,
    /// From the first namespace to the name.
    pub name_span: Span,
    /// The place of the parentheses and what is between them.
    pub arguments_span: Span,
}

impl Call {
    /// Whether this calls the function of that name, without a namespace.
    pub fn is(&self, name: &str) -> bool {
        self.namespaces.is_empty() && self.name.as_str() == name
    }

    /// The name with its namespaces, as written: `provider::aws::arn_parse`.
    pub fn full_name(&self) -> EcoString {
        let mut full = EcoString::new();
        for namespace in &self.namespaces {
            full.push_str(&namespace.name);
            full.push_str("::");
        }
        full.push_str(&self.name.name);
        full
    }
}

/// `library::name`
#[derive(Clone, Debug, PartialEq)]
pub struct Qualified {
    /// The names before `::`; at least one.
    pub namespaces: Vec<Ident>,
    /// The name of what is meant.
    pub name: Ident,
    /// From the first namespace to the name.
    pub span: Span,
}

impl fmt::Display for Qualified {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.namespaces.iter().try_for_each(|namespace| write!(f, "{namespace}::"))?;
        f.write_str(&self.name.name)
    }
}

/// `[a, b]`
#[derive(Clone, Debug, PartialEq)]
pub struct Tuple {
    /// The elements, in order; in the native dialect some may be [`ExprKind::Spread`].
    pub elements: Vec<Expr>,
}

/// `{ a = b }`
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// The entries, in order; keys may repeat.
    pub entries: Vec<ObjectEntry>,
}

/// One entry of an [`Object`].
#[derive(Clone, Debug, PartialEq)]
pub enum ObjectEntry {
    /// `key = value`, `key : value`
    Pair {
        /// The key.
        key: ObjectKey,
        /// The value.
        value: Expr,
    },
    /// `...value`: native dialect only.
    Spread(Expr, Span),
    /// `...` alone: native dialect only; it means "and others" in the type of an object and nothing elsewhere.
    Open(Span),
}

/// The key of an entry.
#[derive(Clone, Debug, PartialEq)]
pub enum ObjectKey {
    /// A bare name: the text itself, also `true`, `null`, `if`.
    Name(Ident),
    /// Anything else is evaluated: `"k-${x}"`, `1`, `(local.key)` (then an [`ExprKind::Paren`]). A traversal with steps
    /// that is not in parentheses, `a.b = 1`, could mean either; where keys are evaluated it is to be refused, but in
    /// `providers` of a module it names a provider configuration.
    Expr(Expr),
}

impl ObjectKey {
    /// Its place.
    pub fn span(&self) -> Span {
        match self {
            ObjectKey::Name(name) => name.span,
            ObjectKey::Expr(expr) => expr.span,
        }
    }

    /// The text of the key, if that is known without evaluating: a bare name or a string without interpolations.
    pub fn as_literal(&self) -> Option<&EcoString> {
        match self {
            ObjectKey::Name(name) => Some(&name.name),
            ObjectKey::Expr(expr) => expr.as_string(),
        }
    }
}

/// `[for key, value in collection : result if condition]`,
/// `{for key, value in collection : result_key => result... if condition}`
#[derive(Clone, Debug, PartialEq)]
pub struct For {
    /// The variable for keys or indices, if there is one.
    pub key: Option<Ident>,
    /// The variable for elements. If both have the same name, this one wins.
    pub value: Ident,
    /// What is iterated over; the variables are not in scope in it.
    pub collection: Expr,
    /// The key of each result: present exactly if the result is an object.
    pub result_key: Option<Expr>,
    /// Each result.
    pub result: Expr,
    /// The place of `...` behind the result: results of equal keys are then collected in tuples. Only with `result_key`.
    pub grouping: Option<Span>,
    /// Which elements count, if not all.
    pub condition: Option<Expr>,
}

/// `condition ? then : otherwise`
#[derive(Clone, Debug, PartialEq)]
pub struct Conditional {
    /// The condition.
    pub condition: Expr,
    /// The value if it holds.
    pub then: Expr,
    /// The value if it does not.
    pub otherwise: Expr,
}

/// `left op right`
#[derive(Clone, Debug, PartialEq)]
pub struct Binary {
    /// The operator.
    pub op: BinaryOp,
    /// The place of the operator.
    pub op_span: Span,
    /// The left operand.
    pub left: Expr,
    /// The right operand.
    pub right: Expr,
}

/// An operator with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `&&`. Long chains of one operator may be grouped in any way, since it is associative.
    And,
    /// `||`. Long chains of one operator may be grouped in any way, since it is associative.
    Or,
    /// `??`, native dialect only: the left value, or the right one if the left is null. It binds looser than `||`
    /// and tighter than `? :`, and groups to the right.
    Coalesce,
}

impl BinaryOp {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Multiply => "*",
            BinaryOp::Divide => "/",
            BinaryOp::Modulo => "%",
            BinaryOp::Add => "+",
            BinaryOp::Subtract => "-",
            BinaryOp::Greater => ">",
            BinaryOp::GreaterOrEqual => ">=",
            BinaryOp::Less => "<",
            BinaryOp::LessOrEqual => "<=",
            BinaryOp::Equal => "==",
            BinaryOp::NotEqual => "!=",
            BinaryOp::And => "&&",
            BinaryOp::Or => "||",
            BinaryOp::Coalesce => "??",
        }
    }
}

impl fmt::Display for BinaryOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

/// `-operand`, `!operand`
#[derive(Clone, Debug, PartialEq)]
pub struct Unary {
    /// The operator.
    pub op: UnaryOp,
    /// The place of the operator.
    pub op_span: Span,
    /// The operand.
    pub operand: Expr,
}

/// An operator with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `-`
    Negate,
    /// `!`
    Not,
}

/// `base where condition`
#[derive(Clone, Debug, PartialEq)]
pub struct Where {
    /// The type that is narrowed.
    pub base: Expr,
    /// What must hold of `value`.
    pub condition: Expr,
}
