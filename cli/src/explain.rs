//! The pages about diagnostics: what a code means, an example that leads to it, and one that does not.
//!
//! The pages are files, `docs/errors/AREA/CODE.md`, which the build puts into the program. A test holds them against the
//! sources: each code that a diagnostic can have has a page, and what a page shows is what Plumb says.

use std::fmt::Write as _;

use crate::render::style::{Role, Style};

/// What is said about one code.
pub struct Page {
    /// What it is about: the name of a folder, see [`AREAS`].
    pub area: &'static str,
    /// The code.
    pub code: &'static str,
    /// The page, in Markdown.
    pub text: &'static str,
}

/// All pages, by area and code.
pub static PAGES: &[Page] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// The areas in the order in which an author meets them, with their headings.
pub const AREAS: &[(&str, &str)] = &[
    ("syntax", "Text that cannot be read"),
    ("declarations", "Blocks and their arguments"),
    ("names", "References and functions"),
    ("types", "Named types, constraints and user-defined functions"),
    ("checks", "What the static checker and the lints find"),
    ("values", "Values and expressions"),
    ("modules", "Modules"),
    ("resources", "Arguments of resources and data sources"),
    ("planning", "Planning"),
    ("applying", "Applying and rolling back"),
    ("state", "State and saved plans"),
    ("providers", "Providers at work"),
    ("installing", "Installing providers"),
    ("builtin", "The compiled-in providers"),
    ("command", "The command line"),
];

/// The page of a code.
pub fn page(code: &str) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.code == code)
}

impl Page {
    /// The meaning in one sentence: the first line below the heading.
    pub fn meaning(&self) -> &'static str {
        self.text.lines().skip(1).find(|line| !line.trim().is_empty()).unwrap_or_default()
    }

    /// The page for a terminal: headings stand out, examples are indented.
    pub fn show(&self, style: &Style) -> String {
        let mut out = String::new();
        let mut inside = false;
        for line in self.text.lines() {
            if line.starts_with("```") {
                inside = !inside;
            } else if inside {
                let _ = writeln!(out, "{}", format!("    {line}").trim_end());
            } else if let Some(heading) = line.strip_prefix("# ") {
                let _ = writeln!(out, "{}", style.paint(Role::Strong, heading));
            } else if matches!(line, "Wrong:" | "Right:") {
                let _ = writeln!(out, "{}", style.paint(Role::Strong, line));
            } else {
                let _ = writeln!(out, "{line}");
            }
        }
        out
    }
}

/// All codes, by area.
pub fn list(style: &Style) -> String {
    let mut out = String::new();
    let widest = PAGES.iter().map(|page| page.code.len()).max().unwrap_or(0);
    for (area, heading) in AREAS {
        let mut pages = PAGES.iter().filter(|page| page.area == *area).peekable();
        if pages.peek().is_none() {
            continue;
        }
        let _ = writeln!(out, "{}", style.paint(Role::Strong, heading));
        for page in pages {
            let _ = writeln!(out, "  {:widest$}  {}", page.code, page.meaning());
        }
        out.push('\n');
    }
    out.push_str("`plumb explain CODE` shows the page of a code, with examples.\n");
    out
}
