//! Text for people: in colours where a terminal shows them, and never with anything that a terminal obeys.

use std::env;
use std::fmt;
use std::io::{IsTerminal, stdout};

/// How a piece of text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// As it is.
    Plain,
    /// An error.
    Error,
    /// A warning.
    Warning,
    /// What to read first.
    Strong,
    /// What to read last.
    Faint,
    /// What to do.
    Advice,
}

impl Style {
    /// The ANSI code that begins it.
    fn code(self) -> &'static str {
        match self {
            Style::Plain => "",
            Style::Error => "\u{1b}[1;31m",
            Style::Warning => "\u{1b}[1;33m",
            Style::Strong => "\u{1b}[1m",
            Style::Faint => "\u{1b}[2m",
            Style::Advice => "\u{1b}[1;32m",
        }
    }

    fn line(self, line: &str) -> String {
        match line.strip_suffix('\n') {
            Some("") => "\n".into(),
            Some(line) => format!("{}{line}\u{1b}[0m\n", self.code()),
            None => format!("{}{line}\u{1b}[0m", self.code()),
        }
    }
}

/// A text in pieces, each with its style. What is written to it with `write!` is plain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text(Vec<(Style, String)>);

impl Text {
    /// Adds a plain piece.
    pub(crate) fn push(&mut self, piece: impl Into<String>) {
        self.styled(Style::Plain, piece);
    }

    /// Adds a piece.
    pub(crate) fn styled(&mut self, style: Style, piece: impl Into<String>) {
        self.0.push((style, piece.into()));
    }

    /// Adds another text.
    pub(crate) fn append(&mut self, other: Text) {
        self.0.extend(other.0);
    }

    /// The text as it is written.
    pub(crate) fn render(&self, colours: bool) -> String {
        let piece = |(style, piece): &(Style, String)| match style {
            Style::Plain => printable(piece),
            _ if !colours => printable(piece),
            // Line by line: pagers begin each line without colour.
            style => printable(piece).split_inclusive('\n').map(|line| style.line(line)).collect(),
        };
        self.0.iter().map(piece).collect()
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        self.push(piece);
        Ok(())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Text(vec![(Style::Plain, text)])
    }
}

/// Whether standard output shows colours. See <https://no-color.org>.
pub(crate) fn colours() -> bool {
    let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    stdout().is_terminal() && !set("NO_COLOR") && !dumb
}

/// Names come from files, and a terminal obeys control characters: they are shown, not sent.
pub(crate) fn printable(text: &str) -> String {
    let shown = |c: char| if is_obeyed(c) { c.escape_unicode().to_string() } else { c.into() };
    text.chars().map(shown).collect()
}

/// JSON that holds no control characters either, and is the same JSON.
pub(crate) fn printable_json(json: &str) -> String {
    let shown = |c: char| if is_obeyed(c) { format!("\\u{:04x}", u32::from(c)) } else { c.into() };
    json.chars().map(shown).collect()
}

/// Control characters other than white space, and those that turn the direction of what follows.
fn is_obeyed(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_escapes_are_shown() {
        let mut text = Text::default();
        text.styled(Style::Error, "error");
        text.styled(Style::Strong, "\na\n");
        text.push(": \u{1b}[2J\u{9b}\u{202e}\n");
        assert_eq!(text.render(false), "error\na\n: \\u{1b}[2J\\u{9b}\\u{202e}\n");
        assert_eq!(
            text.render(true),
            "\u{1b}[1;31merror\u{1b}[0m\n\u{1b}[1ma\u{1b}[0m\n: \\u{1b}[2J\\u{9b}\\u{202e}\n"
        );
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = serde_json::json!({"a\u{9b}": "\u{1b}\u{7f}\u{202e}é\n"});
        let shown = printable_json(&value.to_string());
        assert!(!shown.chars().any(is_obeyed), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }
}
