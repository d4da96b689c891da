//! Calls with their results, from running the reference implementation on them.
//!
//! Each line of `functions.jsonl` has an expression and either what is printed for it or that it is an error; some bring
//! files with them. The expressions are calls whose arguments are literals, so a few lines suffice to evaluate them here;
//! expressions of all kinds are tested where the evaluator is.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ecow::EcoString;
use plumb_functions::{Context, FileError, FileKind, FunctionError, call, console, lookup};
use plumb_model::convert::convert;
use plumb_model::operators::{Arithmetic, arithmetic, negate};
use plumb_model::unify::unify;
use plumb_model::{Marks, SourceId, Value};
use plumb_syntax::tree::{BinaryOp, Expr, ExprKind, ObjectEntry, ObjectKey, TemplatePart, UnaryOp};
use plumb_syntax::{Dialect, Origin, parse_expression};

struct Disk(BTreeMap<String, Vec<u8>>);

impl Context for Disk {
    fn read_file(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.0.get(path).cloned().ok_or_else(|| match self.file_kind(path) {
            FileKind::Directory => FileError { text: "is a directory".into(), absent: false },
            _ => FileError { text: "no such file or directory".into(), absent: true },
        })
    }

    fn file_kind(&self, path: &str) -> FileKind {
        if self.0.contains_key(path) {
            FileKind::File
        } else if path == "." || self.0.keys().any(|file| file.starts_with(&format!("{path}/"))) {
            FileKind::Directory
        } else {
            FileKind::Absent
        }
    }

    fn list_directory(&self, path: &str) -> Result<Vec<(EcoString, FileKind)>, FileError> {
        if self.file_kind(path) != FileKind::Directory {
            return Err(FileError { text: "not a directory".into(), absent: true });
        }
        let prefix = path.trim_start_matches('.').trim_start_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let entries: BTreeMap<EcoString, FileKind> = self
            .0
            .keys()
            .filter_map(|file| file.strip_prefix(&prefix))
            .map(|rest| match rest.split_once('/') {
                Some((directory, _)) => (directory.into(), FileKind::Directory),
                None => (rest.into(), FileKind::File),
            })
            .collect();
        Ok(entries.into_iter().collect())
    }

    fn working_directory(&self) -> String {
        "/work".to_owned()
    }

    fn home_directory(&self) -> Option<String> {
        Some("/root".to_owned())
    }

    fn defers_impure(&self) -> bool {
        false
    }

    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_700_000_000)
    }

    fn plan_time(&self) -> Option<SystemTime> {
        None
    }

    fn random(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }

    fn render_template(&self, _: &str, _: &str, _: &Value) -> Result<Value, FunctionError> {
        Err(FunctionError::failed("no templates here"))
    }

    fn read_definitions(&self, _: &str) -> Result<Value, FunctionError> {
        Err(FunctionError::failed("no definitions here"))
    }
}

/// Why an expression has no value: an error of the language, or something that only the evaluator understands.
#[derive(Debug)]
enum Stop {
    Error(String),
    Beyond,
}

fn error(problem: impl ToString) -> Stop {
    Stop::Error(problem.to_string())
}

fn evaluate(expr: &Expr, disk: &Disk) -> Result<Value, Stop> {
    let all = |exprs: &[Expr]| exprs.iter().map(|e| evaluate(e, disk)).collect::<Result<Vec<_>, _>>();
    Ok(match &expr.kind {
        ExprKind::Null => Value::NULL,
        ExprKind::Bool(value) => (*value).into(),
        ExprKind::Number(number) => number.clone().into(),
        ExprKind::String(text) => Value::string(text),
        ExprKind::Template(template) => {
            let mut out = String::new();
            for part in &template.parts {
                match part {
                    TemplatePart::Literal(text) => out.push_str(text),
                    TemplatePart::Interpolation(inner) => match evaluate(inner, disk)? {
                        value if template.unwraps => return Ok(value),
                        value => out.push_str(value.as_str().ok_or(Stop::Beyond)?),
                    },
                    _ => return Err(Stop::Beyond),
                }
            }
            Value::string(out)
        }
        ExprKind::Tuple(tuple) => Value::tuple(all(&tuple.elements)?),
        ExprKind::Object(object) => {
            let mut entries = Vec::new();
            for entry in &object.entries {
                let ObjectEntry::Pair { key, value } = entry else { return Err(Stop::Beyond) };
                let key = match key {
                    ObjectKey::Name(name) => name.name.clone(),
                    ObjectKey::Expr(expr) => {
                        let key = convert(&evaluate(expr, disk)?, &plumb_model::Type::String).map_err(error)?;
                        key.as_str().cloned().ok_or_else(|| error("key"))?
                    }
                };
                entries.push((key, evaluate(value, disk)?));
            }
            Value::object(entries)
        }
        ExprKind::Paren(inner) => evaluate(inner, disk)?,
        ExprKind::Unary(unary) if unary.op == UnaryOp::Negate => {
            negate(&evaluate(&unary.operand, disk)?).map_err(error)?
        }
        ExprKind::Binary(binary) if binary.op == BinaryOp::Divide => {
            let (left, right) = (evaluate(&binary.left, disk)?, evaluate(&binary.right, disk)?);
            arithmetic(Arithmetic::Divide, &left, &right).map_err(error)?
        }
        ExprKind::Conditional(conditional) => {
            let arms = [evaluate(&conditional.then, disk)?, evaluate(&conditional.otherwise, disk)?];
            let types: Vec<_> = arms.iter().filter(|v| **v != Value::NULL).map(Value::ty).collect();
            let ty = unify(&types).ok_or_else(|| error("arms"))?;
            let chosen = evaluate(&conditional.condition, disk)?.as_bool().ok_or_else(|| error("condition"))?;
            convert(&arms[usize::from(!chosen)], &ty).map_err(error)?
        }
        ExprKind::Traversal(traversal) if traversal.root.name == "path" => ".".into(),
        ExprKind::Traversal(traversal) if traversal.root.name == "terraform" => {
            Value::Bool(false).with_marks(Marks::EPHEMERAL)
        }
        ExprKind::Call(called) => {
            let name = called.full_name();
            let mut arguments = all(&called.arguments)?;
            if called.expand_final.is_some() {
                let last = arguments.pop().ok_or(Stop::Beyond)?;
                arguments.extend_from_slice(last.as_items().ok_or_else(|| error("not a list"))?);
            }
            let function = lookup(&name).ok_or_else(|| error(format!("no function {name}")))?;
            if function.takes_expressions() || matches!(name.as_str(), "templatestring" | "templatefile") {
                return Err(Stop::Beyond);
            }
            call(function, &arguments, disk).map_err(error)?
        }
        _ => return Err(Stop::Beyond),
    })
}

/// What is printed for an expression.
fn run(text: &str, disk: &Disk) -> Result<String, Stop> {
    let parsed = parse_expression(&Origin::whole(SourceId(0)), text, Dialect::Terraform);
    if let Some(diagnostic) = parsed.diagnostics.iter().next() {
        return Err(error(&diagnostic.summary));
    }
    if let ExprKind::Call(called) = &parsed.tree.kind
        && called.full_name() == "type"
        && let [argument] = called.arguments.as_slice()
    {
        return evaluate(argument, disk).map(|value| console::print_type(&value.ty()));
    }
    evaluate(&parsed.tree, disk).map(|value| console::print(&value))
}

#[test]
fn calls_have_the_results_that_are_recorded() {
    let mut failures = Vec::new();
    let mut compared = 0;
    let file = std::env::var("PAIRS").unwrap_or_else(|_| "tests/functions.jsonl".into());
    let pairs = std::fs::read_to_string(file).unwrap();
    for line in pairs.lines() {
        let pair: serde_json::Value = serde_json::from_str(line).unwrap();
        let expr = pair["expr"].as_str().unwrap();
        let files = pair["files"].as_object().into_iter().flatten();
        let disk =
            Disk(files.map(|(n, c)| (n.clone(), c.as_str().unwrap_or_default().into())).collect());
        let result = run(expr, &disk);
        match (&result, pair["result"].as_str()) {
            (Err(Stop::Beyond), _) => continue,
            (Ok(printed), Some(expected)) if printed == expected => {}
            (Err(Stop::Error(_)), None) => {}
            (_, expected) => failures.push(format!("{expr}\n  is     {result:?}\n  wanted {expected:?}")),
        }
        compared += 1;
    }
    assert!(failures.is_empty(), "{} of {compared}:\n{}", failures.len(), failures.join("\n"));
    println!("{compared} pairs");
}
