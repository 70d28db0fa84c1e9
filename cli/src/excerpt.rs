//! The line of a file that a finding is about, with the value marked.

use crate::source_location::SourceLocation;
use crate::text::{Style, Text};

/// Characters of a line that are shown. Generated JSON is often one line of many thousands.
const WIDTH: usize = 96;
/// Characters that are shown before the value where a line is too long.
const BEFORE: usize = 32;

/// The line at `place`, and a mark under the value that begins there.
pub(crate) fn excerpt(line: &str, place: SourceLocation) -> Text {
    // Columns count bytes, what is shown counts characters. Of a long line only what is shown is read.
    let byte = (0..place.column).rev().find(|byte| line.is_char_boundary(*byte)).unwrap_or_default();
    let (before, after) = line.split_at(byte);
    let is_long = line.chars().nth(WIDTH).is_some();
    let shown = |c: char| if c == '\t' { ' ' } else { c };
    let mut left: Vec<char> = before.chars().rev().take(if is_long { BEFORE } else { WIDTH }).collect();
    left.reverse();
    let at = left.len();
    let right: Vec<char> = after.chars().take(WIDTH - at + 1).collect();
    let window: String = left.iter().chain(right.iter().take(WIDTH - at)).copied().map(shown).collect();
    let cut = |there: bool| if there { "…" } else { "" };
    let is_cut_after = right.len() > WIDTH - at;
    let (left, right) = (cut(before.chars().nth(at).is_some()), cut(is_cut_after));

    let length = value_length(after);
    let space = at + left.chars().count();
    let length = length.min((window.chars().count() + left.chars().count()).saturating_sub(space)).max(1);
    let number = place.line.to_string();
    let gutter = " ".repeat(number.len());
    let mut text = Text::default();
    text.styled(Style::Faint, format!("  {gutter} |\n  {number} | "));
    text.push(format!("{left}{window}{right}\n"));
    text.styled(Style::Faint, format!("  {gutter} | "));
    text.push(" ".repeat(space));
    text.styled(Style::Error, "^".repeat(length));
    text.push("\n");
    text
}

/// The length of the scalar that begins here; 1 for what has no end on this line.
fn value_length(rest: &str) -> usize {
    match rest.chars().next() {
        Some('"') => {
            let mut escaped = false;
            let end = rest.chars().skip(1).position(|c| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            end.map_or(1, |end| end + 2)
        }
        Some('{' | '[') | None => 1,
        Some(_) => rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "+-.".contains(*c)).count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, column: usize, shown: &str) {
        assert_eq!(excerpt(line, SourceLocation { line: 41, column }).render(false), shown);
    }

    #[test]
    fn the_value_is_marked() {
        check("  \"é\": \"a\\\"b\", 1", 9, "     |\n  41 |   \"é\": \"a\\\"b\", 1\n     |        ^^^^^^\n");
        check("\t\"a\": null,", 7, "     |\n  41 |  \"a\": null,\n     |       ^^^^\n");
        check("{", 1, "     |\n  41 | {\n     | ^\n");
        check("", 1, "     |\n  41 | \n     | ^\n");
        check("ab", 99, "     |\n  41 | ab\n     |   ^\n");
    }

    #[test]
    fn long_line_is_cut() {
        let line = format!("{}\"here\"{}", "x".repeat(500), "y".repeat(500));
        let shown = excerpt(&line, SourceLocation { line: 1, column: 501 }).render(false);
        let lines: Vec<&str> = shown.lines().collect();
        let at = lines[1].chars().position(|c| c == '"');
        assert_eq!(lines[2].chars().position(|c| c == '^'), at);
        assert!(lines[1].ends_with('…') && lines[2].ends_with(" ^^^^^^") && lines[1].chars().count() < 110);
    }
}
