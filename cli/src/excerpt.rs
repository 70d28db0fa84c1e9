//! The line of a file that a finding is about, with the value marked.

use crate::source_location::SourceLocation;
use crate::text::{Style, Text};

/// Characters of a line that are shown. Generated JSON is often one line of many thousands.
const WIDTH: usize = 96;
/// Characters that are shown before the value where a line is too long.
const BEFORE: usize = 32;

/// The line at `place`, and a mark under the value that begins there.
pub fn excerpt(line: &str, place: SourceLocation) -> Text {
    // Columns count bytes, what is shown counts characters.
    let at = line.char_indices().take_while(|(byte, _)| byte + 1 < place.column).count();
    let characters: Vec<char> = line.chars().map(|c| if c == '\t' { ' ' } else { c }).collect();
    let from = if characters.len() > WIDTH { at.saturating_sub(BEFORE) } else { 0 };
    let window: String = characters.iter().skip(from).take(WIDTH).collect();
    let cut = |there: bool| if there { "…" } else { "" };
    let (left, right) = (cut(from > 0), cut(from + WIDTH < characters.len()));

    let length = value_length(characters.get(at..).unwrap_or_default());
    let space = at - from + left.chars().count();
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
fn value_length(rest: &[char]) -> usize {
    match rest.first() {
        Some('"') => {
            let mut escaped = false;
            let end = rest.iter().skip(1).position(|c| {
                let ends = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            });
            end.map_or(1, |end| end + 2)
        }
        Some('{' | '[') | None => 1,
        Some(_) => rest.iter().take_while(|c| c.is_ascii_alphanumeric() || "+-.".contains(**c)).count(),
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
