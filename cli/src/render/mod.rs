//! Everything that Plumb shows.
//!
//! Each submodule turns data of the engine or the language into one form: terminal text, Markdown, JSON, XML, HTML.
//! Renderers read and never decide; the same data gives the same bytes, since nothing here looks at a clock, the
//! environment or the terminal by itself. What may depend on those (colours, width, times) comes in through
//! [`Style`](style::Style) or a parameter.
//!
//! What always holds:
//! - A value that is marked sensitive never appears in any output made for people, unless it is an output that is
//!   asked for by name. Only the JSON forms that have Terraform's shape carry it, as Terraform's do, beside
//!   `*_sensitive`.
//! - Control characters in values, names and messages are escaped ([`escape`]), so that no value can move the
//!   cursor, change a title, break out of a code fence or issue a command to a CI system.
//! - Work and memory are proportional to what is shown.

mod check_json;
pub mod configuration_view;
pub mod diagnostic;
pub mod diff;
pub mod escape;
pub mod events;
pub mod generated;
pub mod json;
pub mod outputs;
pub mod plan_json;
pub mod plan_markdown;
pub mod plan_text;
pub mod report;
pub mod rollback_text;
pub mod schema_json;
pub mod state_json;
pub mod state_text;
pub mod style;
pub mod value;
pub mod words;

#[cfg(test)]
pub(crate) mod sample;
