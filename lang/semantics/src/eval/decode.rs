//! Blocks to objects, by schema.
//!
//! A body becomes an object of the schema's implied type: attributes are converted, absent ones null; nested blocks
//! become objects, lists, sets or maps by their nesting; `dynamic` blocks are expanded in place. A part that fails is
//! unknown, so that the rest is still decoded.
//!
//! An attribute that holds a list or set of objects may also be written as blocks, and a nested block as an attribute
//! (as JSON does).

use ecow::{EcoString, eco_format};
use plumb_model::address::{Key, Mode};
use plumb_model::convert::convert;
use plumb_model::diagnostic::name_help;
use plumb_model::schema::{AttributeType, NestedBlock, NestedObject};
use plumb_model::{
    Attribute as SchemaAttribute, Block as Schema, Diagnostic, Diagnostics, Entries, Marks, Nesting,
    ObjectType, Path, Span, Step, Type, Value,
};
use plumb_syntax::tree::{Attribute, Block, Body, Expr, Item};
use std::collections::HashSet;
use std::sync::Arc;

use super::names::{Each, Scope};
use super::{At, Evaluator, InstanceRef, ModuleRef};
use crate::expr::{Eval, Failed, describe};
use crate::graph::iterator;
use crate::program::{ModuleId, NodeId, NodeKind};

impl Evaluator {
    /// The configuration of an instance as an object of the schema's implied type. With errors among the diagnostics
    /// the parts that failed are unknown.
    pub fn config(&self, instance: InstanceRef, schema: &Schema) -> (Value, Diagnostics) {
        let node = self.program.node(instance.node);
        let decl = &self.program.module(node.module).resources[node.index as usize];
        let scope = Scope::at(self, At::Instance(instance), None);
        let kept = decl.resource.mode != Mode::Ephemeral;
        self.decode_for(&scope, &decl.body.body, decl.span, schema, kept)
    }

    /// A block, such as that of a provisioner or connection, as an object of a schema, where `self` is a value if one
    /// is given.
    pub fn block(
        &self,
        at: impl Into<At>,
        block: &Block,
        schema: &Schema,
        self_value: Option<&Value>,
    ) -> (Value, Diagnostics) {
        let scope = Scope::at(self, at.into(), self_value);
        self.decode(&scope, &block.body, block.header_span, schema)
    }

    /// As [`Evaluator::block`], of an object whose instance, or all of its module, may not be declared any more: besides
    /// `self`, only its key is known.
    pub fn block_of_gone(
        &self,
        module: ModuleId,
        key: &Key,
        block: &Block,
        schema: &Schema,
        self_value: &Value,
    ) -> (Value, Diagnostics) {
        let each = match key {
            Key::None => Each::None,
            Key::Int(index) => Each::Count(Value::int(i64::try_from(*index).unwrap_or(i64::MAX))),
            Key::String(key) => Each::Pair(Value::String(key.clone()), Value::unknown(Type::Dynamic)),
        };
        let module = ModuleRef { module, index: 0 };
        let scope = Scope { each, self_value: Some(self_value), ..Scope::module(self, module) };
        self.decode(&scope, &block.body, block.header_span, schema)
    }

    /// What is used and not kept: what is ephemeral may be anywhere in it.
    pub(super) fn decode(
        &self,
        scope: &Scope<'_>,
        body: &Body,
        span: Span,
        schema: &Schema,
    ) -> (Value, Diagnostics) {
        self.decode_for(scope, body, span, schema, false)
    }

    fn decode_for(
        &self,
        scope: &Scope<'_>,
        body: &Body,
        span: Span,
        schema: &Schema,
        kept: bool,
    ) -> (Value, Diagnostics) {
        let dialect = self.program.module(scope.module.module).dialect;
        let functions = self.functions(scope.module.module);
        let mut decoder = Decoder { eval: Eval::new(scope, &functions, self.rules(dialect)), kept };
        let value = decoder.body(body, span, schema);
        (value, decoder.eval.diagnostics)
    }

    /// The place in the sources that an attribute of an instance's configuration comes from: the place of the
    /// nearest enclosing thing that is written.
    pub fn attribute_span(&self, instance: InstanceRef, path: &Path) -> Option<Span> {
        let node = self.program.node(instance.node);
        let decl = self.program.module(node.module).resources.get_index(node.index as usize)?.1;
        Some(span_in(&decl.body.body, &path.0).unwrap_or(decl.span))
    }

    /// As [`Evaluator::attribute_span`], for a provider configuration.
    pub fn provider_attribute_span(&self, node: NodeId, path: &Path) -> Option<Span> {
        debug_assert!(self.program.node(node).kind == NodeKind::Provider);
        let decl = self.program.provider(node)?;
        Some(decl.body.as_ref().and_then(|block| span_in(&block.body, &path.0)).unwrap_or(decl.span))
    }
}

/// The place of what a path leads to, or of the nearest thing around it.
fn span_in(body: &Body, path: &[Step]) -> Option<Span> {
    let [Step::Attribute(name), rest @ ..] = path else { return None };
    if let Some(attribute) = body.attribute(name) {
        return Some(span_in_expr(&attribute.value, rest).unwrap_or(attribute.value.span));
    }
    let produced = |block: &&Arc<Block>| {
        block.kind.as_str() == name
            || (block.kind.as_str() == "dynamic"
                && block.labels.first().is_some_and(|label| label.text == *name))
    };
    let blocks: Vec<&Arc<Block>> = body.blocks().filter(produced).collect();
    let has_dynamic = blocks.iter().any(|block| block.kind.as_str() == "dynamic");
    let (block, rest) = match rest {
        [Step::Index(index), rest @ ..] if !has_dynamic => (blocks.get(*index)?, rest),
        [Step::Key(key), rest @ ..] => {
            let labelled = blocks.iter().find(|block| block.labels.iter().any(|label| label.text == *key));
            (labelled.or(blocks.first())?, rest)
        }
        [Step::Index(_) | Step::Any, rest @ ..] | rest => (blocks.first()?, rest),
    };
    let inner = match block.kind.as_str() {
        "dynamic" => block.body.blocks_of("content").next().map(|content| &content.body),
        _ => Some(&block.body),
    };
    Some(inner.and_then(|body| span_in(body, rest)).unwrap_or(block.header_span))
}

fn span_in_expr(expr: &Expr, path: &[Step]) -> Option<Span> {
    use plumb_syntax::tree::{ExprKind, ObjectEntry};
    let (step, rest) = path.split_first()?;
    let inner = match (&expr.without_parens().kind, step) {
        (ExprKind::Object(object), Step::Attribute(name) | Step::Key(name)) => {
            object.entries.iter().rev().find_map(|entry| match entry {
                ObjectEntry::Pair { key, value } if key.as_literal() == Some(name) => Some(value),
                _ => None,
            })?
        }
        (ExprKind::Tuple(tuple), Step::Index(index)) => tuple.elements.get(*index)?,
        _ => return None,
    };
    Some(span_in_expr(inner, rest).unwrap_or(inner.span))
}

/// Decodes bodies in one scope.
struct Decoder<'a> {
    eval: Eval<'a>,
    /// Whether the object is saved in state.
    kept: bool,
}

/// The nested blocks of one type, as far as they are known.
#[derive(Default)]
struct Nested {
    objects: Vec<Value>,
    /// Of maps: the keys.
    labels: Vec<EcoString>,
    written: HashSet<EcoString>,
    /// A `dynamic` block could not say how many there are.
    unknown: bool,
    marks: Marks,
    first: Option<Span>,
}

impl Decoder<'_> {
    fn body(&mut self, body: &Body, span: Span, schema: &Schema) -> Value {
        let mut values: Vec<Option<Value>> = vec![None; schema.attributes.len()];
        let mut nested: Vec<Nested> = Vec::new();
        nested.resize_with(schema.blocks.len(), Nested::default);
        // Attributes that are written as blocks.
        let mut as_blocks: Vec<(usize, Nested)> = Vec::new();
        for item in &body.items {
            match item {
                Item::Attribute(attribute) => {
                    if let Some((index, _, declared)) = schema.attributes.get_full(&attribute.name.name) {
                        if values[index].is_none() {
                            values[index] = Some(self.attribute(attribute, declared));
                        }
                    } else if let Some((index, _, declared)) = schema.blocks.get_full(&attribute.name.name) {
                        self.block_as_attribute(attribute, declared, &mut nested[index]);
                    } else {
                        self.eval.diagnostics.push(unexpected_argument(attribute, schema, &[]));
                    }
                }
                Item::Block(block) => self.nested(block, schema, &mut nested, &mut as_blocks),
                Item::Error(_) => {}
            }
        }
        for (index, found) in as_blocks {
            let declared = &schema.attributes[index];
            values[index] = Some(self.gathered_attribute(declared, found));
        }
        self.object(schema, values, nested, span)
    }

    fn object(
        &mut self,
        schema: &Schema,
        values: Vec<Option<Value>>,
        nested: Vec<Nested>,
        span: Span,
    ) -> Value {
        let mut entries: Vec<(EcoString, Value)> = Vec::with_capacity(values.len() + nested.len());
        for ((name, declared), value) in schema.attributes.iter().zip(values) {
            let value = match value {
                Some(value) => value,
                None => {
                    if declared.required {
                        self.eval.diagnostics.push(
                            Diagnostic::error("missing-argument", "Missing required argument")
                                .detail(eco_format!("The argument `{name}` is required, but it is not set."))
                                .at(span)
                                .help(eco_format!("Add `{name} = …`."))
                                .attribute(Path::of(name.clone())),
                        );
                    }
                    Value::Null(declared.implied_type())
                }
            };
            entries.push((name.clone(), value));
        }
        for ((name, declared), found) in schema.blocks.iter().zip(nested) {
            let value = self.gathered(name, declared, found, span);
            entries.push((name.clone(), value));
        }
        Value::Object(Arc::new(Entries::new(entries)))
    }

    fn attribute(&mut self, attribute: &Attribute, declared: &SchemaAttribute) -> Value {
        let name = &attribute.name;
        if declared.is_computed_only() {
            self.eval.diagnostics.push(
                Diagnostic::error("computed-attribute-set", "Value for unconfigurable attribute")
                    .detail(eco_format!(
                        "The attribute `{name}` is chosen by the provider; a configuration cannot set it."
                    ))
                    .at(name.span)
                    .help("Remove this argument."),
            );
            return Value::Null(declared.implied_type());
        }
        if let Some(reason) = &declared.deprecated {
            self.eval.diagnostics.push(deprecated(name.as_str(), reason, name.span));
        }
        let value = match self.eval.eval(&attribute.value) {
            Ok(value) => value,
            Err(Failed) => return Value::unknown(declared.implied_type()),
        };
        self.check_ephemeral(&value, declared, attribute);
        let wanted = match &declared.ty {
            AttributeType::Plain(ty) => ty.clone(),
            AttributeType::Nested(nested) => lenient_type(nested),
        };
        match convert(&value, &wanted) {
            Ok(value) => value,
            Err(error) => {
                let at = if error.path.is_root() {
                    name.name.clone()
                } else {
                    eco_format!("{name}{}", below(&error.path))
                };
                let place = span_in_expr(&attribute.value, &error.path.0).unwrap_or(attribute.value.span);
                let diagnostic =
                    Diagnostic::error("incorrect-attribute-type", "Incorrect attribute value type")
                        .detail(eco_format!(
                            "The value of `{at}` is not suitable: {}. It is {}.",
                            error.problem,
                            describe(value.at(&error.path).unwrap_or(&value))
                        ))
                        .at(place)
                        .attribute(Path::of(name.name.clone()));
                let _: Result<(), Failed> = self.eval.fail_at(diagnostic, &attribute.value);
                Value::unknown(declared.implied_type())
            }
        }
    }

    /// What is ephemeral may only be given where nothing is kept.
    fn check_ephemeral(&mut self, value: &Value, declared: &SchemaAttribute, attribute: &Attribute) {
        let may_be = !self.kept || declared.write_only;
        if may_be || !value.has_marks() || !value.unmark_deep().1.contains(Marks::EPHEMERAL) {
            return;
        }
        self.eval.diagnostics.push(
            Diagnostic::error("ephemeral-argument", "Invalid use of ephemeral value")
                .detail(eco_format!("The value of `{}` is ephemeral, but what this argument is given is kept.", attribute.name))
                .at(attribute.value.span)
                .help("Ephemeral values may be given to write-only arguments, provider configurations, provisioners and other ephemeral resources."),
        );
    }

    fn nested(
        &mut self,
        block: &Arc<Block>,
        schema: &Schema,
        nested: &mut [Nested],
        as_blocks: &mut Vec<(usize, Nested)>,
    ) {
        let (name, dynamic) = match (block.kind.as_str(), block.labels.first()) {
            ("dynamic", Some(label)) if !schema.blocks.contains_key("dynamic") => (label.text.as_str(), true),
            (kind, _) => (kind, false),
        };
        if let Some((index, _, declared)) = schema.blocks.get_full(name) {
            if let Some(reason) = &declared.block.deprecated {
                self.eval.diagnostics.push(deprecated(name, reason, block.kind.span));
            }
            let found = &mut nested[index];
            found.first.get_or_insert(block.header_span);
            if dynamic {
                self.dynamic(block, declared, found);
            } else {
                self.one(block, &block.body, declared, found);
            }
            return;
        }
        let listed =
            schema.attributes.get_full(name).filter(|(_, _, declared)| object_element(declared).is_some());
        if let Some((index, _, declared)) = listed {
            let object = object_element(declared).expect("it was just looked for");
            let declared = block_of_objects(object, declared);
            let position = match as_blocks.iter().position(|(found, _)| *found == index) {
                Some(position) => position,
                None => {
                    as_blocks.push((index, Nested::default()));
                    as_blocks.len() - 1
                }
            };
            let found = &mut as_blocks[position].1;
            if dynamic {
                self.dynamic(block, &declared, found);
            } else {
                self.one(block, &block.body, &declared, found);
            }
            return;
        }
        self.eval.diagnostics.push(unexpected_block(block, name, schema));
    }

    fn one(&mut self, block: &Block, body: &Body, declared: &NestedBlock, found: &mut Nested) {
        let wanted = usize::from(declared.nesting == Nesting::Map);
        if block.labels.len() != wanted {
            let detail = match wanted {
                0 => eco_format!("Blocks of type `{}` have no labels.", block.kind),
                _ => eco_format!("Blocks of type `{}` have one label, the key of the element.", block.kind),
            };
            let diagnostic = Diagnostic::error("wrong-labels", "Wrong number of labels")
                .detail(detail)
                .at(block.header_span);
            self.eval.diagnostics.push(diagnostic);
            return;
        }
        if let Some(label) = block.labels.first() {
            self.label(label.text.clone(), label.span, found);
        }
        let value = self.body(body, block.header_span, &declared.block);
        found.objects.push(value);
    }

    fn label(&mut self, label: EcoString, span: Span, found: &mut Nested) {
        if !found.written.insert(label.clone()) {
            let detail = eco_format!("There are two blocks with the label {}.", plumb_syntax::quote(&label));
            self.eval
                .diagnostics
                .push(Diagnostic::error("duplicate-block", "Duplicate block label").detail(detail).at(span));
        }
        found.labels.push(label);
    }

    /// `dynamic "name" { for_each = …, content { … } }`
    fn dynamic(&mut self, block: &Block, declared: &NestedBlock, found: &mut Nested) {
        for item in &block.body.items {
            let (name, span) = match item {
                Item::Attribute(attribute) => (attribute.name.as_str(), attribute.name.span),
                Item::Block(nested) => (nested.kind.as_str(), nested.kind.span),
                Item::Error(_) => continue,
            };
            if !["for_each", "iterator", "labels", "content"].contains(&name) {
                self.eval.diagnostics.push(
                    Diagnostic::error("unsupported-argument", "Unsupported argument")
                        .detail(eco_format!("`{name}` is not expected in a `dynamic` block."))
                        .at(span)
                        .help("What each block contains belongs in `content { … }`."),
                );
            }
        }
        let (Some(for_each), Some(content)) =
            (block.body.attribute("for_each"), block.body.blocks_of("content").next())
        else {
            let missing = if block.body.attribute("for_each").is_none() {
                "`for_each = …`"
            } else {
                "`content { … }`"
            };
            self.eval.diagnostics.push(
                Diagnostic::error("missing-argument", "Missing part of a dynamic block")
                    .detail(eco_format!("A `dynamic` block needs {missing}."))
                    .at(block.header_span),
            );
            return;
        };
        let Ok(collection) = self.eval.eval(&for_each.value) else {
            found.unknown = true;
            return;
        };
        let (inner, marks) = collection.unmark();
        if inner.is_null() {
            let diagnostic = Diagnostic::error("invalid-dynamic-for-each", "Invalid dynamic for_each value")
                .detail("`for_each` is null; it must be a collection.")
                .at(for_each.value.span)
                .help("Give an empty one for the case of null: `coalesce(value, [])`.");
            let _: Result<(), Failed> = self.eval.fail_at(diagnostic, &for_each.value);
            return;
        }
        let pairs = match self.eval.pairs(inner, &for_each.value) {
            Ok(Some(pairs)) => pairs,
            Ok(None) => {
                found.unknown = true;
                found.marks |= marks;
                return;
            }
            Err(Failed) => return,
        };
        found.marks |= marks;
        let name = EcoString::from(iterator(block));
        for (key, value) in pairs {
            self.eval.bind(name.clone(), Value::object([("key", key), ("value", value)]));
            if declared.nesting == Nesting::Map {
                self.dynamic_label(block, found);
            }
            let value = self.body(&content.body, content.header_span, &declared.block);
            found.objects.push(value);
            self.eval.unbind();
        }
    }

    fn dynamic_label(&mut self, block: &Block, found: &mut Nested) {
        let label =
            block.body.attribute("labels").map(|labels| (self.eval.eval(&labels.value), labels.value.span));
        match label {
            Some((Ok(value), span)) => {
                let text = value
                    .as_items()
                    .and_then(|items| items.first())
                    .and_then(|item| convert(item, &Type::String).ok());
                match text.as_ref().and_then(Value::as_str) {
                    Some(text) => self.label(text.clone(), span, found),
                    None => found.unknown = true,
                }
            }
            Some((Err(Failed), _)) => found.unknown = true,
            None => {
                let diagnostic = Diagnostic::error("missing-argument", "Missing labels")
                    .detail("The blocks have a label, so `labels = […]` must say which.")
                    .at(block.header_span);
                self.eval.diagnostics.push(diagnostic);
                found.unknown = true;
            }
        }
    }

    /// A nested block written as an attribute: one object, or a list of them.
    fn block_as_attribute(&mut self, attribute: &Attribute, declared: &NestedBlock, found: &mut Nested) {
        found.first.get_or_insert(attribute.span);
        let Ok(value) = self.eval.eval(&attribute.value) else {
            found.unknown = true;
            return;
        };
        let (inner, marks) = value.unmark();
        found.marks |= marks;
        if !inner.is_known() {
            found.unknown = true;
            return;
        }
        let ty = lenient_block_type(&declared.block);
        let objects: Vec<Value> = match (inner.as_items(), declared.nesting, inner.as_entries()) {
            (Some(items), _, _) => items.to_vec(),
            (None, Nesting::Map, Some(entries)) => {
                found.labels.extend(entries.keys().cloned());
                entries.values().cloned().collect()
            }
            _ if inner.is_null() => Vec::new(),
            _ => vec![inner.clone()],
        };
        for object in objects {
            match convert(&object, &ty) {
                Ok(value) => found.objects.push(value),
                Err(error) => {
                    let detail = eco_format!("The value of `{}` is not suitable: {error}.", attribute.name);
                    let diagnostic =
                        Diagnostic::error("incorrect-attribute-type", "Incorrect attribute value type")
                            .detail(detail)
                            .at(attribute.value.span)
                            .help(eco_format!(
                                "`{}` is a nested block: write `{} {{ … }}`.",
                                attribute.name,
                                attribute.name
                            ));
                    self.eval.diagnostics.push(diagnostic);
                    found.unknown = true;
                }
            }
        }
    }

    /// An attribute that was written as blocks.
    fn gathered_attribute(&mut self, declared: &SchemaAttribute, found: Nested) -> Value {
        let ty = declared.implied_type();
        if found.unknown {
            return Value::unknown(ty).with_marks(found.marks);
        }
        let list = Value::tuple(found.objects);
        convert(&list, &ty).unwrap_or_else(|_| Value::unknown(ty)).with_marks(found.marks)
    }

    fn gathered(&mut self, name: &EcoString, declared: &NestedBlock, found: Nested, span: Span) -> Value {
        let count = found.objects.len();
        self.check_count(name, declared, &found, span);
        let object = declared.block.implied_type();
        let dynamic = object.has_dynamic();
        if found.unknown {
            return Value::unknown(declared.implied_type()).with_marks(found.marks);
        }
        let mut objects = found.objects;
        let value = match declared.nesting {
            Nesting::Single | Nesting::Group if count > 0 => objects.swap_remove(0),
            Nesting::Single | Nesting::Group => return declared.empty(),
            Nesting::List if dynamic => Value::tuple(objects),
            Nesting::List => Value::list(object, objects),
            Nesting::Set => Value::set(object, objects),
            Nesting::Map if dynamic => {
                Value::object(found.labels.into_iter().zip(objects).collect::<Vec<_>>())
            }
            Nesting::Map => Value::map(object, found.labels.into_iter().zip(objects)),
        };
        value.with_marks(found.marks)
    }

    fn check_count(&mut self, name: &EcoString, declared: &NestedBlock, found: &Nested, span: Span) {
        if found.unknown {
            return;
        }
        let count = found.objects.len() as u64;
        let single = matches!(declared.nesting, Nesting::Single | Nesting::Group);
        let most = if single { 1 } else { declared.max_items };
        if count < declared.min_items {
            let wanted = declared.min_items;
            self.eval.diagnostics.push(
                Diagnostic::error("too-few-blocks", eco_format!("Insufficient {name} blocks"))
                    .detail(eco_format!(
                        "At least {wanted} `{name}` {} required; there are {count}.",
                        if wanted == 1 { "block is" } else { "blocks are" }
                    ))
                    .at(span)
                    .help(eco_format!("Add `{name} {{ … }}`."))
                    .attribute(Path::of(name.clone())),
            );
        } else if most > 0 && count > most {
            self.eval.diagnostics.push(
                Diagnostic::error("too-many-blocks", eco_format!("Too many {name} blocks"))
                    .detail(eco_format!(
                        "At most {most} `{name}` {} allowed; there are {count}.",
                        if most == 1 { "block is" } else { "blocks are" }
                    ))
                    .at(found.first.unwrap_or(span))
                    .attribute(Path::of(name.clone())),
            );
        }
    }
}

/// A path behind a name.
fn below(path: &Path) -> EcoString {
    match path.0.first() {
        Some(Step::Attribute(_)) => eco_format!(".{path}"),
        _ => eco_format!("{path}"),
    }
}

/// The type of objects of which all that may be left out is optional.
fn lenient_objects(attributes: &indexmap::IndexMap<EcoString, SchemaAttribute>) -> Type {
    let mut object = ObjectType::default();
    for (name, attribute) in attributes {
        let ty = match &attribute.ty {
            AttributeType::Plain(ty) => ty.clone(),
            AttributeType::Nested(nested) => lenient_type(nested),
        };
        object.attributes.insert(name.clone(), ty);
        if !attribute.required {
            object.optional.insert(name.clone());
        }
    }
    Type::Object(Arc::new(object))
}

pub(crate) fn lenient_type(nested: &NestedObject) -> Type {
    wrap(nested.nesting, lenient_objects(&nested.attributes))
}

fn lenient_block_type(block: &Schema) -> Type {
    let Type::Object(object) = lenient_objects(&block.attributes) else { return Type::Dynamic };
    let mut object = (*object).clone();
    for (name, nested) in &block.blocks {
        object.attributes.insert(name.clone(), wrap(nested.nesting, lenient_block_type(&nested.block)));
        object.optional.insert(name.clone());
    }
    Type::Object(Arc::new(object))
}

fn wrap(nesting: Nesting, object: Type) -> Type {
    match nesting {
        Nesting::Single | Nesting::Group => object,
        Nesting::List => Type::list(object),
        Nesting::Set => Type::set(object),
        Nesting::Map => Type::map(object),
    }
}

/// The object type of an attribute that is a list or set of objects.
pub(crate) fn object_element(attribute: &SchemaAttribute) -> Option<&ObjectType> {
    match &attribute.ty {
        AttributeType::Plain(Type::List(element) | Type::Set(element)) => match &**element {
            Type::Object(object) => Some(object),
            _ => None,
        },
        _ => None,
    }
}

/// The schema of a block that stands for one element of such an attribute.
pub(crate) fn block_of_objects(object: &ObjectType, attribute: &SchemaAttribute) -> NestedBlock {
    let attributes =
        object.attributes.iter().map(|(name, ty)| (name.clone(), SchemaAttribute::optional(ty.clone())));
    let nesting = match &attribute.ty {
        AttributeType::Plain(Type::Set(_)) => Nesting::Set,
        _ => Nesting::List,
    };
    NestedBlock { block: Schema::of(attributes), nesting, min_items: 0, max_items: 0 }
}

fn deprecated(name: &str, reason: &str, span: Span) -> Diagnostic {
    Diagnostic::warning("deprecated-argument", "Argument is deprecated")
        .detail(eco_format!("`{name}` is deprecated: {reason}"))
        .at(span)
}

/// That a schema has no such argument; nor is it one of those that the block has besides.
pub(crate) fn unexpected_argument(attribute: &Attribute, schema: &Schema, besides: &[&str]) -> Diagnostic {
    let name = attribute.name.as_str();
    let settable = schema.attributes.iter().filter(|(_, declared)| !declared.is_computed_only());
    let names = settable.map(|(name, _)| name.as_str()).chain(schema.blocks.keys().map(EcoString::as_str));
    let names = names.chain(besides.iter().copied());
    Diagnostic::error("unsupported-argument", "Unsupported argument")
        .detail(eco_format!("An argument named `{name}` is not expected here."))
        .at(attribute.name.span)
        .instead(name, attribute.name.span, names)
}

/// That a schema has no such nested block.
pub(crate) fn unexpected_block(block: &Block, name: &str, schema: &Schema) -> Diagnostic {
    let diagnostic = Diagnostic::error("unsupported-block", "Unsupported block type").at(block.kind.span);
    if schema.attributes.contains_key(name) {
        return diagnostic
            .detail(eco_format!("`{name}` is an argument, not a block."))
            .help(eco_format!("Write `{name} = {{ … }}` or whatever its value is, with `=`."));
    }
    diagnostic
        .detail(eco_format!("Blocks of type `{name}` are not expected here."))
        .maybe_help(name_help(name, schema.blocks.keys().map(EcoString::as_str)))
}
