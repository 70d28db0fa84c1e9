//! Text that a tag can hold: letters, digits and `_ . : / = + - @`, at most 256 characters a value.
//! See <https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-tag.html>.

use std::collections::BTreeMap;
use std::fmt::Write;

pub(super) type Tags = BTreeMap<String, String>;

/// Longest value of one tag, in characters.
const VALUE_LIMIT: usize = 256;

/// Room for ` parts=NN`.
const PARTS_SUFFIX: usize = 9;

/// Writes a value that may be absent: `none`, or the text with every other character as `@` and two hex
/// digits. Lone `@` is the empty text, and a text that reads `none` is `@6eone`.
pub(super) fn escape(text: Option<&str>) -> String {
    let text = match text {
        None => return "none".into(),
        Some("") => return "@".into(),
        Some("none") => return "@6eone".into(),
        Some(text) => text,
    };
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"_.:/=+-".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a `String` can't fail.
            let _ = write!(out, "@{byte:02x}");
        }
        out
    })
}

/// Reads what [`escape`] wrote; outer `None` if it didn't.
pub(super) fn unescape(text: &str) -> Option<Option<String>> {
    match text {
        "none" => return Some(None),
        "@" => return Some(Some(String::new())),
        _ => {}
    }
    let mut pieces = text.split('@');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (hex, rest) = piece.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(hex, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok().map(Some)
}

/// Writes an escaped text as the tag `key`, and what doesn't fit as `key:1`, `key:2`, …
///
/// The first value ends in ` rank=N` unless N is 0, and in ` parts=N` if there are more: a longer text
/// that an interrupted change left behind is then not taken for a part of a shorter one.
pub(super) fn split(key: &str, text: &str, rank: u32) -> Tags {
    let rank = if rank == 0 { String::new() } else { format!(" rank={rank}") };
    if text.len() + rank.len() <= VALUE_LIMIT {
        return Tags::from([(key.to_owned(), format!("{text}{rank}"))]);
    }
    let room = VALUE_LIMIT - PARTS_SUFFIX - rank.len();
    let (head, tail) = text.split_at_checked(room).unwrap_or((text, ""));
    let tail: Vec<char> = tail.chars().collect();
    let mut tags: Tags = (1..)
        .zip(tail.chunks(VALUE_LIMIT))
        .map(|(part, chars)| (format!("{key}:{part}"), chars.iter().collect()))
        .collect();
    tags.insert(key.to_owned(), format!("{head}{rank} parts={}", tags.len() + 1));
    tags
}

/// Reads what [`split`] wrote: the escaped text and its rank; `None` if a part is missing or odd.
pub(super) fn join(tags: &Tags, key: &str) -> Option<(String, u32)> {
    let mut words = tags.get(key)?.split(' ');
    let mut text = words.next()?.to_owned();
    let (mut rank, mut parts) = (0, 1);
    for word in words {
        match word.split_once('=')? {
            ("rank", value) => rank = value.parse().ok()?,
            ("parts", value) => parts = value.parse::<u8>().ok()?,
            _ => return None,
        }
    }
    for part in 1..parts {
        text.push_str(tags.get(&format!("{key}:{part}"))?);
    }
    Some((text, rank))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_survives_in_allowed_characters() {
        for text in
            [None, Some(""), Some("none"), Some("@"), Some("arn:aws:iam::1:role/a+b,c=d"), Some("é ~")]
        {
            let escaped = escape(text);
            assert!(
                escaped.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.:/=+-@".contains(&b)),
                "{escaped}"
            );
            assert_eq!(unescape(&escaped), Some(text.map(str::to_owned)), "{escaped}");
        }
        assert_eq!(unescape("role/@"), None);
        assert_eq!(unescape("role/@x1"), None);
    }

    #[test]
    fn missing_part_is_noticed() {
        for (length, rank, count) in [(256, 0, 1), (257, 0, 2), (249, 1, 1), (250, 1, 2), (800, 12, 4)] {
            let text = "r".repeat(length);
            let mut tags = split("k", &text, rank);
            assert_eq!(tags.len(), count);
            assert!(tags.values().all(|value| value.len() <= VALUE_LIMIT));
            tags.insert(format!("k:{count}"), "left behind".into());
            assert_eq!(join(&tags, "k"), Some((text, rank)));
            if count > 1 {
                tags.remove("k:1");
                assert_eq!(join(&tags, "k"), None);
            }
        }
    }
}
