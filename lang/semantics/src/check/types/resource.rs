//! The types of objects of resources: what the schema says, with the phases of what is configured.
//!
//! A computed attribute that is not configured is known only after apply; one that is configured when its expression
//! is. What a data source gives is known as soon as what it is asked is known.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecow::{EcoString, eco_format};
use plumb_model::address::Mode;
use plumb_model::schema::{AttributeType, NestedBlock};
use plumb_model::{Attribute as SchemaAttribute, Block as BlockSchema, Nesting, Schema, Type};
use plumb_syntax::tree::{Attribute, Block, Body, Item};

use super::expr::{Infer, Place, repeated};
use super::ty::{Kind, Phase, Ty, joined};
use super::{Typer, dynamic};
use crate::eval::decode::object_element;
use crate::program::{ModuleId, ResourceDecl};

impl Typer<'_> {
    /// The type of all instances of a resource block; its expressions are checked.
    pub(super) fn resource(&mut self, module: ModuleId, index: usize) -> Ty {
        let decl = &self.program.module(module).resources[index];
        let by = self.repetition(&Place::module(module), &decl.repetition);
        let place = self.repeated_place(module, &decl.repetition, &by);
        decl.provider_instance.iter().for_each(|expr| {
            self.expr(&place, expr);
        });
        let object = match self.schema_of(module, index) {
            Some(schema) => self.object(&place, decl, &schema),
            None => {
                self.body(&place, &decl.body.body);
                // Nobody can say when its attributes are known, so nothing is held against them.
                Ty::any(Phase::Plan)
            }
        };
        for expr in &decl.lifecycle.replace_triggered_by {
            self.expr(&place, expr);
        }
        self.conditions(&place, &decl.lifecycle.preconditions);
        let place = Place { this: Some(object.clone()), ..place };
        self.conditions(&place, &decl.lifecycle.postconditions);
        for condition in decl.lifecycle.action_triggers.iter().filter_map(|t| t.condition.as_ref()) {
            self.expr(&place, condition);
        }
        for provisioner in &decl.provisioners {
            self.body(&place, &provisioner.body.body);
            provisioner.connection.iter().for_each(|block| self.body(&place, &block.body));
        }
        decl.connection.iter().for_each(|block| self.body(&place, &block.body));
        repeated(&decl.repetition, &by, object)
    }

    pub(super) fn schema_of(&mut self, module: ModuleId, index: usize) -> Option<Arc<Schema>> {
        let module = self.program.module(module);
        let decl = &module.resources[index];
        let source = &module.resource_providers.get(index)?.source;
        let key = (source.clone(), decl.resource.mode, decl.resource.kind.clone());
        let schemas = self.schemas;
        self.known
            .entry(key)
            .or_insert_with_key(|(source, mode, kind)| schemas.resource(source, *mode, kind))
            .clone()
    }

    fn object(&mut self, place: &Place, decl: &ResourceDecl, schema: &Schema) -> Ty {
        let chosen = match decl.resource.mode {
            Mode::Managed => Phase::Apply,
            Mode::Data | Mode::Ephemeral | Mode::Action => Phase::Plan,
        };
        let object = self.with(place, |infer| block(infer, &decl.body.body, &schema.block, chosen));
        match decl.resource.mode {
            Mode::Managed | Mode::Action => object,
            // It is read when all that it is asked is known, and after what it waits for.
            Mode::Data | Mode::Ephemeral => {
                let waits = decl.depends_on.iter().any(|expr| {
                    expr.as_traversal().is_some_and(|traversal| {
                        !matches!(traversal.root.as_str(), "data" | "var" | "local" | "ephemeral")
                    })
                });
                let phase = if waits { Phase::Apply } else { object.deepest() };
                let Kind::Object(fields) = &object.kind else { return object };
                let fields = fields.iter().map(|(name, field)| {
                    let computed =
                        schema.block.attributes.get(name).is_some_and(|attribute| attribute.computed);
                    let ty = field.ty.clone();
                    (name.clone(), if computed { ty.at_least(phase) } else { ty })
                });
                Ty::new(Kind::row(fields))
            }
        }
    }
}

/// The object that a body becomes.
fn block(infer: &mut Infer<'_, '_>, body: &Body, schema: &BlockSchema, chosen: Phase) -> Ty {
    let mut fields: BTreeMap<EcoString, Ty> = BTreeMap::new();
    let mut nested: BTreeMap<EcoString, (Vec<Ty>, Phase)> = BTreeMap::new();
    for item in &body.items {
        match item {
            Item::Attribute(attribute) => match schema.attributes.get(&attribute.name.name) {
                Some(declared) => {
                    let ty = configured(infer, attribute, declared, chosen);
                    fields.insert(attribute.name.name.clone(), ty);
                }
                None => {
                    let ty = infer.infer(&attribute.value);
                    if let Some(declared) = schema.blocks.get(&attribute.name.name) {
                        // A nested block that is written as an attribute.
                        let whole = Ty::of(&declared.implied_type(), ty.deepest());
                        fields.insert(attribute.name.name.clone(), whole);
                    }
                }
            },
            Item::Block(written) => one_nested(infer, written, schema, chosen, &mut nested),
            Item::Error(_) => {}
        }
    }
    for (name, declared) in &schema.attributes {
        let default = match nested.remove(name) {
            // Objects that are written as blocks.
            Some((parts, phase)) => {
                let deepest = parts.iter().map(Ty::deepest).max().unwrap_or_default();
                Ty::of(&declared.implied_type(), phase.max(deepest))
            }
            None if declared.computed => Ty::of(&declared.implied_type(), chosen),
            None => Ty::of(&declared.implied_type(), Phase::Const),
        };
        fields.entry(name.clone()).or_insert(default);
    }
    for (name, declared) in &schema.blocks {
        let written = nested.remove(name);
        fields.entry(name.clone()).or_insert_with(|| gathered(declared, written, chosen));
    }
    Ty::new(Kind::row(fields))
}

fn configured(
    infer: &mut Infer<'_, '_>,
    attribute: &Attribute,
    declared: &SchemaAttribute,
    chosen: Phase,
) -> Ty {
    let given = infer.infer(&attribute.value);
    let wanted = match &declared.ty {
        AttributeType::Plain(ty) => ty.clone(),
        AttributeType::Nested(nested) => crate::eval::decode::lenient_type(nested),
    };
    let what = eco_format!("The value of `{}`", attribute.name);
    let fine = infer.check_fits(
        &given,
        &wanted,
        &attribute.value,
        "incorrect-attribute-type",
        "Incorrect attribute value type",
        &what,
    );
    if !fine {
        return Ty::of(&declared.implied_type(), given.deepest());
    }
    match &declared.ty {
        AttributeType::Plain(_) => given.converted(&wanted).widened(),
        // Parts that only the provider sets are not known, whatever is written of the others.
        AttributeType::Nested(nested) if nested.attributes.values().any(|inner| inner.computed) => {
            let whole = given.converted(&declared.implied_type());
            let with_computed = |object: &Ty| match &object.kind {
                Kind::Object(fields) => Ty::with(
                    Kind::row(fields.iter().map(|(name, field)| {
                        let computed = nested.attributes.get(name).is_some_and(|inner| inner.computed);
                        let ty = field.ty.clone();
                        (name.clone(), if computed { ty.at_least(chosen) } else { ty })
                    })),
                    object.phase,
                ),
                _ => object.clone(),
            };
            let kind = match &whole.kind {
                Kind::List(part) => Kind::List(Arc::new(with_computed(part))),
                Kind::Map(part) => Kind::Map(Arc::new(with_computed(part))),
                Kind::Object(_) => return with_computed(&whole),
                _ => return whole.at_least(chosen),
            };
            Ty::with(kind, whole.phase)
        }
        AttributeType::Nested(_) => given.converted(&declared.implied_type()),
    }
}

fn one_nested(
    infer: &mut Infer<'_, '_>,
    written: &Block,
    schema: &BlockSchema,
    chosen: Phase,
    nested: &mut BTreeMap<EcoString, (Vec<Ty>, Phase)>,
) {
    let is_dynamic = written.kind.as_str() == "dynamic" && !schema.blocks.contains_key("dynamic");
    let name = match (is_dynamic, written.labels.first()) {
        (true, Some(label)) => label.text.clone(),
        _ => written.kind.name.clone(),
    };
    let of_objects;
    let inner = match schema.blocks.get(&name) {
        Some(declared) => &declared.block,
        None => {
            let declared = schema.attributes.get(&name);
            let object = declared.and_then(|declared| Some((object_element(declared)?, declared)));
            of_objects = object.map_or_else(BlockSchema::default, |(object, declared)| {
                crate::eval::decode::block_of_objects(object, declared).block
            });
            &of_objects
        }
    };
    let mut parts = Vec::new();
    let phase = match is_dynamic {
        true => {
            dynamic(infer, written, &mut |infer, body| parts.push(block(infer, body, inner, chosen))).phase
        }
        false => {
            parts.push(block(infer, &written.body, inner, chosen));
            Phase::Const
        }
    };
    let found = nested.entry(name).or_default();
    found.0.extend(parts);
    found.1 = found.1.max(phase);
}

fn gathered(declared: &NestedBlock, written: Option<(Vec<Ty>, Phase)>, chosen: Phase) -> Ty {
    let any_computed = declared.block.attributes.values().any(|attribute| attribute.computed);
    let Some((parts, phase)) = written else {
        // Blocks that are not written may still be there, if the provider may choose what is in them.
        let phase = if any_computed { chosen } else { Phase::Const };
        return Ty::of(&declared.implied_type(), phase);
    };
    let one = joined(parts.iter());
    let kind = match declared.nesting {
        Nesting::Single | Nesting::Group => return one.at_least(phase),
        _ if declared.implied_type() == Type::Dynamic => Kind::Any,
        Nesting::List => Kind::List(Arc::new(one)),
        Nesting::Set => return Ty::with(Kind::Set(Arc::new(one.clone())), phase.max(one.deepest())),
        Nesting::Map => Kind::Map(Arc::new(one)),
    };
    Ty::with(kind, phase)
}
