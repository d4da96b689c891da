//! `plumb validate`.

use std::sync::Arc;

use plumb_model::{Diagnostic, Diagnostics, Severity, Sources};
use plumb_semantics::{Texts, World};

use crate::args::ValidateArgs;
use crate::fix::{self, Fix};
use crate::render::diagnostic;
use crate::session::{self, Checked};
use crate::ui::{Exit, Ui};
use crate::world::DiskWorld;

use super::fmt::difference;

/// A mended text may show what was hidden behind the mistake; each round mends one layer. No text has so many.
const MOST_ROUNDS: usize = 32;

/// Runs `plumb validate`.
pub fn run(args: &ValidateArgs, ui: &Ui) -> Exit {
    // Each round of mending looks at everything again, and most of the texts did not change.
    let mut texts = args.fix.then(Texts::default);
    let mut checked = check(args, texts.as_mut());
    if args.fix {
        match mend(checked, texts.as_mut(), args, ui) {
            Ok(mended) => checked = mended,
            Err(trouble) => {
                ui.diagnostics(&trouble, &Sources::new());
                return Exit::Error;
            }
        }
    }
    if args.json {
        ui.result(&format!(
            "{}\n",
            diagnostic::validate_json(&checked.diagnostics, &checked.program.sources)
        ));
    } else {
        ui.diagnostics(&checked.diagnostics, &checked.program.sources);
    }
    if checked.diagnostics.has_errors() {
        return Exit::Error;
    }
    if !args.json {
        ui.result("The configuration is valid.\n");
    }
    Exit::Done
}

fn check(args: &ValidateArgs, texts: Option<&mut Texts>) -> Checked {
    let world: Arc<dyn World> = Arc::new(DiskWorld::new());
    let checked = session::check_leniently(&world, &args.variables.in_order, texts);
    Checked { diagnostics: checked.diagnostics.into_iter().map(importable).collect(), ..checked }
}

/// What is to be imported may get its configuration from the plan, so that it lacks one is no mistake.
fn importable(mut found: Diagnostic) -> Diagnostic {
    if found.code == "unknown-import-target" {
        found.severity = Severity::Warning;
        found = found.help("`plumb plan -generate-config-out=FILE` writes the missing resource.");
    }
    found
}

/// Makes the safe suggestions until there are none, and shows what was changed. With `-diff` nothing is written, so only
/// the first round can be shown.
fn mend(
    mut checked: Checked,
    mut texts: Option<&mut Texts>,
    args: &ValidateArgs,
    ui: &Ui,
) -> Result<Checked, Diagnostics> {
    for _ in 0..MOST_ROUNDS {
        let fixes = fix::of(&checked.diagnostics, &checked.program.sources);
        if fixes.is_empty() {
            break;
        }
        for fix in &fixes {
            if !args.diff {
                fix.write()?;
            }
            show(fix, args, ui);
        }
        if args.diff {
            break;
        }
        checked = check(args, texts.as_deref_mut());
    }
    Ok(checked)
}

fn show(fix: &Fix, args: &ValidateArgs, ui: &Ui) {
    let difference = difference(&fix.path, &fix.before, &fix.after);
    match args.json {
        // Standard output is for the result.
        true => ui.remark(&difference),
        false => ui.result(&difference),
    }
}
