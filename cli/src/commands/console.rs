//! `plumb console`: expressions, one a line, in the scope of the configuration and its state.

use std::io::{BufRead as _, IsTerminal as _};
use std::sync::Arc;
use std::time::SystemTime;

use plumb_engine::plan::Prior;
use plumb_functions::console;
use plumb_model::{Diagnostics, Marks, SourceId, Sources, Value};
use plumb_semantics::eval::{Evaluator, ModuleRef, Phase};
use plumb_semantics::program::{NodeId, NodeKind};
use plumb_syntax::Dialect;

use super::completion::Names;
use crate::args::ConsoleArgs;
use crate::ask::Missing;
use crate::session::{self, Session};
use crate::store;
use crate::ui::{Exit, Ui};
use crate::world::DiskWorld;

/// Runs the command.
pub fn run(args: &ConsoleArgs, ui: &Ui) -> Exit {
    let world = Arc::new(DiskWorld::new());
    let Some(mut session) = session::open(world, &args.variables, Missing::Leave, ui) else {
        return Exit::Error;
    };
    let evaluator = match evaluator(&mut session, args.plan) {
        Ok(evaluator) => evaluator,
        Err(found) => {
            ui.diagnostics(&found, session.sources());
            return Exit::Error;
        }
    };
    match std::io::stdin().is_terminal() {
        true => interactive(&evaluator, ui),
        false => lines(&evaluator, ui),
    }
}

/// An evaluation in which everything has been evaluated from what is recorded.
fn evaluator(session: &mut Session, plan: bool) -> Result<Evaluator, Diagnostics> {
    let state = store::read().map_err(|trouble| Diagnostics::from(trouble.diagnostic))?;
    let prior = Prior::read(&state)?;
    session.with_schemas(prior.types()).into_result()?;
    let phase = if plan { Phase::Plan } else { Phase::Apply };
    let mut evaluator = session.evaluator(phase, SystemTime::now());
    let order = plumb_engine::order::of_program(&session.program)?;
    let mut found = Diagnostics::new();
    let (mut progress, mut ready) = plumb_engine::graph::Progress::start(&order);
    while let Some(task) = ready.pop() {
        found.extend(visit(&mut evaluator, session, &prior, NodeId(task as u32)));
        ready.extend(progress.done(task));
    }
    // What cannot be evaluated from what is recorded is unknown in the console; asking for it says why.
    drop(found);
    Ok(evaluator)
}

fn visit(evaluator: &mut Evaluator, session: &Session, prior: &Prior, id: NodeId) -> Diagnostics {
    match session.program.node(id).kind {
        NodeKind::Resource => match evaluator.expand_resource(id) {
            Err(found) => found,
            Ok(instances) => {
                for instance in instances {
                    let address = evaluator.address(instance);
                    let ty = evaluator.schema(id).map(|schema| schema.block.implied_type());
                    let recorded = prior.get(&address).and_then(|kept| kept.current.as_ref());
                    let value = ty.and_then(|ty| {
                        let recorded = recorded?;
                        let value = plumb_model::json::decode(recorded.attributes.as_str(), &ty).ok()?;
                        let secret = recorded.sensitive.iter().map(|path| (path, Marks::SENSITIVE));
                        let value = value.mark_paths(secret);
                        let of_schema = evaluator.schema(id)?.block.sensitive_paths(&value);
                        Some(value.mark_paths(of_schema.iter().map(|(path, marks)| (path, *marks))))
                    });
                    let unknown = || Value::unknown(plumb_model::Type::Dynamic);
                    let ty = evaluator.schema(id).map(|schema| schema.block.implied_type());
                    let value = value.unwrap_or_else(|| ty.map_or_else(unknown, Value::unknown));
                    evaluator.set_instance(instance, value);
                }
                Diagnostics::new()
            }
        },
        NodeKind::Provider | NodeKind::Check => Diagnostics::new(),
        _ => evaluator.evaluate(id),
    }
}

/// What there is to say to an expression.
fn answer(evaluator: &Evaluator, text: &str) -> Result<String, Diagnostics> {
    let source = evaluator.program().console_source();
    let value = evaluator.eval_console(ModuleRef::ROOT, text, source)?;
    if evaluator.is_type_call(ModuleRef::ROOT, text)
        && let Some(ty) = value.as_str()
    {
        return Ok(ty.to_string());
    }
    Ok(console::print(&value))
}

/// The texts that diagnostics about a typed expression point into.
fn sources(evaluator: &Evaluator, text: &str) -> Sources {
    let mut sources = Sources::new();
    for (_, source) in evaluator.program().sources.iter() {
        sources.add(source.name.clone(), source.text.clone());
    }
    sources.add("<console-input>", text);
    sources
}

/// Answers each line of standard input; the first error ends it.
fn lines(evaluator: &Evaluator, ui: &Ui) -> Exit {
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else {
            ui.remark("Standard input is not text in UTF-8.");
            return Exit::Error;
        };
        match line.trim() {
            "" => continue,
            "exit" => break,
            text => match answer(evaluator, text) {
                Ok(answer) => ui.result(&format!("{answer}\n")),
                Err(found) => {
                    ui.diagnostics(&found, &sources(evaluator, text));
                    return Exit::Error;
                }
            },
        }
    }
    Exit::Done
}

/// Whether something is open at the end of a text, so that another line belongs to it.
fn is_unfinished(text: &str, dialect: Dialect) -> bool {
    const OPEN: [&str; 6] = [
        "unclosed-bracket",
        "unbalanced-parentheses",
        "unterminated-call",
        "unterminated-comment",
        "unterminated-heredoc",
        "invalid-heredoc",
    ];
    let origin = plumb_syntax::Origin::whole(SourceId(0));
    // Only at the end of its line is `<<EOT` the beginning of a text.
    let found = plumb_syntax::parse_expression(&origin, &format!("{text}\n"), dialect).diagnostics;
    // A closing bracket too many, or a string that does not end in its line, is no better with more lines.
    let hopeless = ["unexpected-closing-bracket", "unterminated-string", "multi-line-string"];
    found.iter().any(|d| OPEN.contains(&d.code)) && !found.iter().any(|d| hopeless.contains(&d.code))
}

fn interactive(evaluator: &Evaluator, ui: &Ui) -> Exit {
    let config = rustyline::Config::builder().completion_type(rustyline::CompletionType::List).build();
    let mut editor = match rustyline::Editor::<Names, rustyline::history::DefaultHistory>::with_config(config)
    {
        Ok(editor) => editor,
        Err(error) => {
            ui.remark(&format!("The terminal cannot be used: {error}"));
            return Exit::Error;
        }
    };
    editor.set_helper(Some(Names::of(evaluator)));
    let dialect = evaluator.program().root().dialect;
    let history = std::path::Path::new(store::DATA_DIRECTORY).join("console-history");
    // No history yet is the usual case at the start.
    let _ = editor.load_history(&history);
    let mut text = String::new();
    loop {
        let prompt = if text.is_empty() { "> " } else { "… " };
        match editor.readline(prompt) {
            Ok(line) => {
                text.push_str(&line);
                text.push('\n');
            }
            Err(rustyline::error::ReadlineError::Interrupted) => {
                text.clear();
                continue;
            }
            Err(_) => break,
        }
        if is_unfinished(text.trim_end(), dialect) {
            continue;
        }
        let typed = std::mem::take(&mut text);
        match typed.trim() {
            "" => continue,
            "exit" | "quit" => break,
            expression => {
                // A history that cannot be kept is no reason to stop.
                let _ = editor.add_history_entry(expression);
                match answer(evaluator, expression) {
                    Ok(answer) => ui.result(&format!("{answer}\n")),
                    Err(found) => {
                        ui.diagnostics(&found, &sources(evaluator, expression));
                    }
                }
            }
        }
    }
    if history.parent().is_some_and(std::path::Path::exists) {
        let _ = editor.save_history(&history);
    }
    Exit::Done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_asks_for_another_line() {
        let unfinished = |text| is_unfinished(text, Dialect::Terraform);
        for text in ["[1,", "upper(", "{", "<<EOT", "<<EOT\nhello", "[for x in [1] :"] {
            assert!(unfinished(text), "{text}");
        }
        for text in ["[1, \"[\"]", "upper(\"a\")", "1 +", "\"a", "]", "<<EOT\nhello\nEOT", "nope"] {
            assert!(!unfinished(text), "{text}");
        }
    }
}
