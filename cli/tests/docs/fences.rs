//! A document in Markdown as lines of text and fenced examples, so that it can be written back with other examples.

/// A document.
pub struct Document {
    pub parts: Vec<Part>,
}

/// A line of text, or an example.
pub enum Part {
    Text(String),
    Fence(Fence),
}

/// What stands between two lines of three backticks.
pub struct Fence {
    /// Where it begins, counted from 1.
    pub line: usize,
    /// What stands behind the first backticks: the language and the tags.
    pub info: String,
    /// The lines between.
    pub lines: Vec<String>,
}

impl Document {
    /// Reads a document.
    pub fn read(text: &str) -> Document {
        let mut parts = Vec::new();
        let mut lines = text.lines().enumerate();
        while let Some((at, line)) = lines.next() {
            parts.push(match line.strip_prefix("```") {
                Some(info) => Part::Fence(Fence {
                    line: at + 1,
                    info: info.trim().to_owned(),
                    lines: lines
                        .by_ref()
                        .map(|(_, line)| line.to_owned())
                        .take_while(|line| line != "```")
                        .collect(),
                }),
                None => Part::Text(line.to_owned()),
            });
        }
        Document { parts }
    }

    /// The text of the document.
    pub fn write(&self) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(line) => out.push_str(line),
                Part::Fence(fence) => {
                    out.push_str(&format!("```{}\n", fence.info));
                    fence.lines.iter().for_each(|line| out.push_str(&format!("{line}\n")));
                    out.push_str("```");
                }
            }
            out.push('\n');
        }
        out
    }

    /// All examples.
    pub fn fences(&self) -> impl Iterator<Item = &Fence> {
        self.parts.iter().filter_map(|part| match part {
            Part::Fence(fence) => Some(fence),
            Part::Text(_) => None,
        })
    }

    /// All lines of text outside of examples.
    pub fn text(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(line) => Some(line.as_str()),
            Part::Fence(_) => None,
        })
    }
}

impl Fence {
    /// The language of the example.
    pub fn language(&self) -> &str {
        self.info.split_whitespace().next().unwrap_or("")
    }

    /// The value of a tag `name=value`; empty for a tag without one.
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.info.split_whitespace().skip(1).find_map(|tag| {
            let (key, value) = tag.split_once('=').unwrap_or((tag, ""));
            (key == name).then_some(value)
        })
    }

    /// Names of tags that are not among these.
    pub fn tags_besides(&self, known: &[&str]) -> Vec<&str> {
        let names = self.info.split_whitespace().skip(1).map(|tag| tag.split('=').next().unwrap_or(tag));
        names.filter(|name| !known.contains(name)).collect()
    }

    /// The text of the example.
    pub fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }
}
