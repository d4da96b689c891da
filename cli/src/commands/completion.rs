//! What can be meant by the beginning of a name in the console: functions, and everything that the module declares.

use plumb_model::address::Mode;
use plumb_semantics::eval::Evaluator;
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

/// More attributes than this of one resource are not offered.
const ATTRIBUTES: usize = 200;

/// Completes names.
pub struct Names {
    /// Everything that can be meant, in order.
    all: Vec<String>,
}

impl Names {
    /// The names in the root module of an evaluation.
    pub fn of(evaluator: &Evaluator) -> Names {
        let program = evaluator.program();
        let root = program.root();
        let mut all: Vec<String> = plumb_functions::names().map(|name| format!("{name}(")).collect();
        all.push("type(".to_owned());
        all.extend(root.variables.keys().map(|name| format!("var.{name}")));
        all.extend(root.locals.keys().map(|name| format!("local.{name}")));
        for (index, (name, call)) in root.calls.iter().enumerate() {
            let key = if call.repetition.expr().is_some() { "[" } else { "" };
            all.push(format!("module.{name}{key}"));
            if let (true, Some(child)) = (key.is_empty(), root.children[index]) {
                let outputs = program.module(child).outputs.keys();
                all.extend(outputs.map(|output| format!("module.{name}.{output}")));
            }
        }
        for decl in root
            .resources
            .values()
            .filter(|decl| !matches!(decl.resource.mode, Mode::Ephemeral | Mode::Action))
        {
            let address = decl.resource.to_string();
            let node = program.resource_node(&plumb_model::address::ConfigResource {
                module: plumb_model::address::ModulePath::root(),
                resource: decl.resource.clone(),
            });
            let schema = node.and_then(|node| evaluator.schema(node));
            if decl.repetition.expr().is_none() {
                let attributes = schema.iter().flat_map(|schema| schema.block.attributes.keys());
                all.extend(attributes.take(ATTRIBUTES).map(|name| format!("{address}.{name}")));
            }
            all.push(address);
        }
        all.extend(["path.cwd", "path.module", "path.root", "terraform.workspace"].map(str::to_owned));
        all.sort();
        all.dedup();
        Names { all }
    }

    /// Where the name begins that stands before `at`, and what it can be.
    fn matching(&self, line: &str, at: usize) -> (usize, Vec<&str>) {
        let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
        let before = &line[..at];
        let start = before.char_indices().rev().take_while(|(_, c)| part(*c)).last().map_or(at, |(at, _)| at);
        let begun = &before[start..];
        let matching = self.all.iter().map(String::as_str).filter(|name| name.starts_with(begun));
        (start, matching.collect())
    }
}

impl Completer for Names {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, matching) = self.matching(line, at);
        let pair = |name: &str| Pair { display: name.to_owned(), replacement: name.to_owned() };
        Ok((start, matching.into_iter().map(pair).collect()))
    }
}

impl Helper for Names {}

impl Highlighter for Names {}

impl Hinter for Names {
    type Hint = String;
}

impl Validator for Names {}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn the_name_before_the_cursor_is_completed() {
        let names =
            Names { all: ["local.a", "local.b", "lower(", "var.größe"].map(str::to_owned).to_vec() };
        assert_eq!(names.matching("upper(lo", 8), (6, vec!["local.a", "local.b", "lower("]));
        assert_eq!(names.matching("1 + local.b + x", 11), (4, vec!["local.b"]));
        assert_eq!(names.matching("var.grö", "var.grö".len()), (0, vec!["var.größe"]));
        assert!(names.matching("nothing", 7).1.is_empty());
    }
}
