//! The `moved` blocks of a whole program, and the order in which they apply.
//!
//! A block whose destination is or contains the origin of another applies before it, wherever both are written, so that a
//! chain leads to its end. Blocks that lead in a circle have no order.

use std::collections::{BTreeMap, VecDeque};

use ecow::EcoString;
use plumb_model::address::{Key, Resource, Target};

use crate::program::{ModuleId, MovedDecl, Program};

/// A `moved` block: its module, and which one there.
pub type Statement = (ModuleId, usize);

/// The blocks in an order in which each comes after those that lead to its origin, then those that lead in a circle.
#[derive(Debug, Default)]
pub struct Ordered {
    /// In the order in which they apply.
    pub statements: Vec<Statement>,
    /// Those without an order, as they are written.
    pub circular: Vec<Statement>,
}

/// What an end of a `moved` block names, from the root of the program. A key that is not written stands for any.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    pub modules: Vec<(EcoString, Key)>,
    pub resource: Option<(Resource, Key)>,
}

impl Place {
    /// What a target names in a module.
    pub fn of(program: &Program, module: ModuleId, target: &Target) -> Place {
        let above = program.module(module).path.0.iter().map(|name| (name.clone(), Key::None));
        let (within, resource) = match target {
            Target::Module(module) => (&module.0, None),
            Target::Resource(instance) => {
                (&instance.module.0, Some((instance.resource.clone(), instance.key.clone())))
            }
        };
        Place { modules: above.chain(within.iter().cloned()).collect(), resource }
    }

    fn names(&self) -> Vec<EcoString> {
        self.modules.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Whether this is or contains the other; keys only matter where both blocks are about single instances.
    fn meets(&self, other: &Place, single: bool) -> bool {
        let same_key = |a: &Key, b: &Key| a == b || (!single && (*a == Key::None || *b == Key::None));
        let steps = self.modules.iter().zip(&other.modules);
        steps.into_iter().all(|((a, k), (b, l))| a == b && (k == l || *k == Key::None || *l == Key::None))
            && match (&self.resource, &other.resource) {
                (Some((a, k)), Some((b, l))) => {
                    self.modules.len() == other.modules.len() && a == b && same_key(k, l)
                }
                (Some(_), None) => false,
                (None, _) => self.modules.len() <= other.modules.len(),
            }
    }
}

/// Whether a block is about one instance of a resource, and not about all of them.
fn is_single(decl: &MovedDecl) -> bool {
    let keyed = |target: &Target| matches!(target, Target::Resource(instance) if instance.key != Key::None);
    keyed(&decl.from) || keyed(&decl.to)
}

/// Orders all blocks of a program. The work is about linear in their number.
pub fn in_order(program: &Program) -> Ordered {
    let statements: Vec<Statement> = program
        .modules()
        .flat_map(|(id, module)| (0..module.moved.len()).map(move |index| (id, index)))
        .collect();
    let decl = |(module, index): Statement| &program.module(module).moved[index];
    let mut origins: BTreeMap<(Vec<EcoString>, Option<Resource>), Vec<usize>> = BTreeMap::new();
    for (number, statement) in statements.iter().enumerate() {
        let from = Place::of(program, statement.0, &decl(*statement).from);
        let resource = from.resource.as_ref().map(|(resource, _)| resource.clone());
        origins.entry((from.names(), resource)).or_default().push(number);
    }
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); statements.len()];
    let mut waiting = vec![0usize; statements.len()];
    for (number, statement) in statements.iter().enumerate() {
        let to = Place::of(program, statement.0, &decl(*statement).to);
        let names = to.names();
        let candidates: Vec<usize> = match &to.resource {
            Some((resource, _)) => {
                origins.get(&(names, Some(resource.clone()))).into_iter().flatten().copied().collect()
            }
            None => {
                let within = origins.range((names.clone(), None)..);
                let within = within.take_while(|((other, _), _)| other.starts_with(&names));
                within.flat_map(|(_, numbers)| numbers).copied().collect()
            }
        };
        for other in candidates.into_iter().filter(|other| *other != number) {
            let (this, that) = (decl(*statement), decl(statements[other]));
            let from = Place::of(program, statements[other].0, &that.from);
            if to.meets(&from, is_single(this) && is_single(that)) {
                followers[number].push(other);
                waiting[other] += 1;
            }
        }
    }
    let mut ready: VecDeque<usize> = (0..statements.len()).filter(|number| waiting[*number] == 0).collect();
    let mut ordered = Ordered::default();
    while let Some(number) = ready.pop_front() {
        ordered.statements.push(statements[number]);
        for next in &followers[number] {
            waiting[*next] -= 1;
            if waiting[*next] == 0 {
                ready.push_back(*next);
            }
        }
    }
    let circular = (0..statements.len()).filter(|number| waiting[*number] > 0);
    ordered.circular = circular.map(|number| statements[number]).collect();
    ordered
}
