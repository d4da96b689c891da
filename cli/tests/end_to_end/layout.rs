//! The layout is that of `terraform fmt`, on many files that nobody would write: odd blanks, comments in every place, nested
//! collections, heredocs, blocks in one line.
//!
//! The files are made from a fixed sequence of numbers, so that every run has the same ones. Files that Terraform refuses are
//! passed over.

use std::fmt::Write as _;

use crate::support::Workspace;

/// How many files are made.
const FILES: usize = 240;

/// A sequence of numbers that looks random and is always the same.
struct Choices(u64);

impl Choices {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn blank(&mut self) -> &'static str {
        self.one(&["", "", " ", "  ", "\t"])
    }

    fn indent(&mut self) -> &'static str {
        self.one(&["", " ", "  ", "    ", "\t"])
    }

    fn comment(&mut self) -> &'static str {
        self.one(&["# c", "// d", "#", "//", "#tight", "# é 日本", "/* x */", "/* a\n   b */"])
    }

    /// What stands at the end of a line.
    fn tail(&mut self) -> &'static str {
        self.one(&["", "", "", "", "", " # c", " // d", "#tight", "   # far", " /* x */"])
    }

    fn name(&mut self) -> &'static str {
        self.one(&["a", "bb", "ccc", "tags", "count", "long_argument_name", "x1", "é", "a-b"])
    }

    fn atom(&mut self) -> &'static str {
        self.one(&[
            "1",
            "2.5",
            "-1",
            "- 1",
            "!a",
            "true",
            "null",
            "\"s\"",
            "\"a${b}c\"",
            "\"${x}\"",
            "\"${ x . y }\"",
            "var.a",
            "local.b[0]",
            "a.*.b",
            "a[*].b",
            "data.x.y.z[\"k\"]",
            "\"%{ if x }y%{ endif }\"",
            "(1)",
            "( a+b )",
        ])
    }

    fn list(&mut self, depth: usize, from: usize, separator: &str) -> String {
        let count = from + self.below(3);
        let elements: Vec<String> = (0..count).map(|_| self.expression(depth + 1)).collect();
        elements.join(separator)
    }

    fn expression(&mut self, depth: usize) -> String {
        let (a, b) = (self.blank(), self.blank());
        let next = depth + 1;
        match self.below(if depth > 3 { 6 } else { 15 }) {
            0..=5 => self.atom().to_owned(),
            6 => {
                let operator = self.one(&["+", "-", "*", "/", "%", "==", "!=", "<", ">=", "&&", "||"]);
                format!("{}{a}{operator}{b}{}", self.expression(next), self.expression(next))
            }
            7 => format!(
                "{}{a}?{b}{} : {}",
                self.expression(next),
                self.expression(next),
                self.expression(next)
            ),
            8 => format!("f{}({a}{}{b})", self.one(&["", "", " "]), self.list(depth, 0, ",")),
            9 => format!("[{a}{}{b}]", self.list(depth, 0, ", ")),
            10 => format!(
                "{{{a}{}={b}{}, \"k k\" : {} }}",
                self.name(),
                self.expression(next),
                self.expression(next)
            ),
            11 => format!("[for k,v in {}{a}:{b}{} if v]", self.expression(next), self.expression(next)),
            12 => {
                format!("{{for k, v in {} : k{a}=>{b}{}...}}", self.expression(next), self.expression(next))
            }
            13 => self.lines("[", "]", depth, |choices| choices.expression(next) + ","),
            _ => self.lines("{", "}", depth, |choices| {
                let key = choices.one(&["a", "\"k\"", "(var.k)", "long_key"]);
                let (between, equals) = (choices.blank(), choices.one(&["=", "=", ":"]));
                format!("{key}{between}{equals} {}{}", choices.expression(next), choices.one(&["", "", ","]))
            }),
        }
    }

    /// A collection with a line for each element.
    fn lines(
        &mut self,
        open: &str,
        close: &str,
        depth: usize,
        element: impl Fn(&mut Choices) -> String,
    ) -> String {
        let mut text = format!("{open}{}\n", self.tail());
        for _ in 0..self.below(4) {
            if self.chance(15) {
                let _ = writeln!(text, "{}{}", self.indent(), self.comment());
            }
            let _ = writeln!(text, "{}{}{}", self.indent(), element(self), self.tail());
            if self.chance(10) {
                text.push('\n');
            }
        }
        let _ = write!(text, "{}{close}", if depth == 0 { "" } else { self.indent() });
        text
    }

    fn heredoc(&mut self) -> String {
        let mut text = format!("{}\n", self.one(&["<<EOT", "<<-EOT"]));
        for _ in 0..self.below(4) {
            let line = self.one(&["text", "${ a+b }", "$${x}", "\"q\"", "# not", "%{ if x }y%{ endif }", ""]);
            let _ = writeln!(text, "{}{line}", self.indent());
        }
        text + "EOT"
    }

    /// Arguments with different names, comments and empty lines.
    fn body(&mut self, depth: usize) -> String {
        let mut text = String::new();
        for i in 0..self.below(6) {
            let indent = self.indent();
            match self.below(10) {
                0 => writeln!(text, "{indent}{}", self.comment()),
                1 => writeln!(text),
                2 => writeln!(
                    text,
                    "{indent}{}{i}{}={}{}",
                    self.name(),
                    self.blank(),
                    self.blank(),
                    self.heredoc()
                ),
                3 | 4 if depth < 2 => write!(text, "{indent}{}", self.block(depth + 1)),
                _ => {
                    let (before, after) = (self.blank(), self.blank());
                    let value = self.expression(0);
                    writeln!(text, "{indent}{}{i}{before}={after}{value}{}", self.name(), self.tail())
                }
            }
            .expect("writing to memory does not fail");
        }
        text
    }

    fn block(&mut self, depth: usize) -> String {
        let kind = self.one(&["resource", "variable", "dynamic", "locals", "b"]);
        let labels = self.one(&["", " \"x\"", " x", "  \"y\"  ", "\"z\"", " \"a\" \"b\""]);
        let (a, b, tail) = (self.blank(), self.blank(), self.tail());
        match self.below(8) {
            0 => format!("{kind}{labels}{a}{{{b}}}{tail}\n"),
            1 => format!("{kind}{labels}{a}{{{b}{}{a}={b}{} }}{tail}\n", self.name(), self.atom()),
            _ => format!("{kind}{labels}{a}{{{tail}\n{}{}}}\n", self.body(depth), self.indent()),
        }
    }

    fn file(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..1 + self.below(4) {
            if self.chance(30) {
                let _ = writeln!(text, "{}", self.comment());
            }
            text.push_str(&self.block(0));
            text.push_str(self.one(&["", "\n", "\n\n"]));
        }
        if self.chance(10) {
            text.truncate(text.trim_end().len());
        }
        text
    }
}

#[test]
fn many_odd_files_are_laid_out_as_terraform_does() {
    let (ours, theirs) = (Workspace::new(&[]), Workspace::new(&[]));
    if theirs.program("terraform").arg("version").output().is_err() {
        eprintln!("skipped: there is no terraform on the PATH");
        return;
    }
    let mut choices = Choices(7);
    let files: Vec<(String, String)> =
        (0..FILES).map(|i| (format!("f{i}.{}", ["tf", "tf", "tftest.hcl"][i % 3]), choices.file())).collect();
    for (name, text) in &files {
        ours.write(name, text);
        theirs.write(name, text);
    }
    let refused = theirs.program("terraform").args(["fmt", "-no-color"]).output().expect("it was just run");
    let refused = String::from_utf8_lossy(&refused.stderr).into_owned();
    ours.plumb(&["fmt"]);
    let accepted = files.iter().filter(|(name, _)| !refused.contains(&format!(" {name} line ")));
    let mut compared = 0;
    for (name, text) in accepted {
        assert_eq!(ours.read(name), theirs.read(name), "{name} was\n{text}");
        compared += 1;
    }
    assert!(compared > FILES / 2, "Terraform refuses most of the files: {refused}");
    // What is laid out stays as it is.
    let before: Vec<String> = files.iter().map(|(name, _)| ours.read(name)).collect();
    ours.plumb(&["fmt"]);
    for ((name, _), before) in files.iter().zip(before) {
        assert_eq!(ours.read(name), before, "{name}, laid out a second time");
    }
}
