//! Text from anywhere, made fit to be shown.

/// Without control characters and without those that turn the direction of text around: neither is ever part of
/// a message, and both can make one look like another.
pub(super) fn without_control_characters(text: &str) -> String {
    let shown = |c: &char| match c {
        '\n' | '\t' => true,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
        c => !c.is_control(),
    };
    text.chars().filter(shown).collect()
}

/// On one line, so that it can't pass for the next part.
pub(super) fn one_line(text: &str) -> String {
    without_control_characters(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// With every line but the first set in, so that none can pass for the next part.
pub(super) fn set_in(text: &str) -> String {
    without_control_characters(text).trim_end().replace('\n', "\n    ")
}

/// At most `limit` characters, with a note of how many are missing where any are.
pub(super) fn cut_to(text: &str, limit: usize) -> String {
    fit_by(text, limit, |_| 1)
}

/// The same where some characters count for more than one, as those that are escaped later do.
pub(super) fn fit_by(text: &str, limit: usize, cost: impl Fn(char) -> usize) -> String {
    if text.chars().map(&cost).sum::<usize>() <= limit {
        return text.to_owned();
    }
    let length = text.chars().count();
    let note = |kept: usize| format!(" [{} characters cut]", length - kept);
    // The note gets shorter, if anything, with fewer characters cut: the longest one there can be is reserved.
    let mut left = limit.saturating_sub(note(0).len());
    let fits = |c: &char| {
        let cost = cost(*c);
        let fits = cost <= left;
        left = left.saturating_sub(cost);
        fits
    };
    let kept: String = text.chars().take_while(fits).collect();
    let note = note(kept.chars().count());
    kept.chars().chain(note.chars()).take(limit).collect()
}

/// At most `limit` items, and one that says how many are missing where any are.
pub(super) fn fit_items<T>(items: &[T], limit: usize, render: impl Fn(&T) -> String) -> Vec<String> {
    let mut shown: Vec<String> = items.iter().take(limit).map(render).collect();
    if items.len() > limit {
        shown.push(format!("[{} more cut]", items.len() - limit));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_passes_for_something_else() {
        assert_eq!(one_line("a\nFix\n---\tb\r\u{1b}[31m"), "a Fix --- b[31m");
        assert_eq!(set_in("a\nFix\n---\n"), "a\n    Fix\n    ---");
        assert_eq!(without_control_characters("a\u{202e}b\u{0}"), "ab");
    }

    #[test]
    fn cut_text_counts_what_is_missing() {
        assert_eq!(cut_to("äöü", 3), "äöü");
        assert_eq!(cut_to(&"ä".repeat(40), 30), format!("{} [30 characters cut]", "ä".repeat(10)));
        for limit in 0..60 {
            assert!(cut_to(&"ä".repeat(61), limit).chars().count() <= limit);
        }
        assert_eq!(fit_items(&[1, 2, 3], 2, ToString::to_string), ["1", "2", "[1 more cut]"]);
    }
}
