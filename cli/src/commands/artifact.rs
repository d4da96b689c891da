//! Saved plans.
use std::path::Path;
use plumb_engine::plan::Plan;
use plumb_model::Diagnostic;
use crate::args::PlanningArgs;
use crate::session::Session;
use crate::ui::{Exit, Ui};
pub fn write(_: &Path, _: &Plan, _: &Session, _: &PlanningArgs) -> Result<(), Diagnostic> { unreachable!() }
pub fn open_for_applying(_: &Path, _: &plumb_state::State, _: &Ui) -> Result<(Plan, Session, String), Exit> { unreachable!() }
pub fn open_for_showing(_: &Path, _: &Ui) -> Result<(Plan, Session), Exit> { unreachable!() }
