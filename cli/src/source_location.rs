//! From a path such as `stages[1].actions[0].roleArn` to its place in a JSON text.

use serde::de::{DeserializeOwned, IgnoredAny};

/// Line and column, counted from 1; columns count bytes, as the JSON parser's do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceLocation {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// Where the value at `path` begins, or where the deepest value begins that is on the way to it.
///
/// `json` has to be valid; a path may be that of a finding (`keys["arn:…"].policy`) or a JSON pointer.
pub fn locate(json: &[u8], path: &str) -> SourceLocation {
    let mut at = skip_space(json, 0);
    for step in steps(path) {
        match step_into(json, at, &step) {
            Some(inner) => at = inner,
            None => break,
        }
    }
    let before = json.get(..at).unwrap_or(json);
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    SourceLocation {
        line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
        column: at - line_start + 1,
    }
}

/// The keys and indices of a path.
pub fn steps(path: &str) -> Vec<String> {
    if let Some(pointer) = path.strip_prefix('/') {
        return pointer.split('/').map(str::to_owned).collect();
    }
    let mut steps = vec![];
    let mut rest = path;
    while !rest.is_empty() {
        let (step, after) = if let Some(quoted) = rest.strip_prefix("[\"") {
            quoted.split_once("\"]").unwrap_or((quoted, ""))
        } else if let Some(index) = rest.strip_prefix('[') {
            index.split_once(']').unwrap_or((index, ""))
        } else {
            rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len()))
        };
        steps.push(step.to_owned());
        rest = after.strip_prefix('.').unwrap_or(after);
    }
    steps
}

/// Where the member or entry `step` of the value at `at` begins.
fn step_into(json: &[u8], at: usize, step: &str) -> Option<usize> {
    let object = match json.get(at)? {
        b'{' => true,
        b'[' => false,
        _ => return None,
    };
    let mut at = skip_space(json, at + 1);
    let mut index: usize = 0;
    while !matches!(json.get(at)?, b'}' | b']') {
        let found = if object {
            let (key, end) = value::<String>(json, at)?;
            at = skip_space(json, skip_space(json, end) + 1);
            key == step
        } else {
            index.to_string() == step
        };
        if found {
            return Some(at);
        }
        let (_, end) = value::<IgnoredAny>(json, at)?;
        at = skip_space(json, end);
        if json.get(at)? == &b',' {
            at = skip_space(json, at + 1);
        }
        index += 1;
    }
    None
}

/// The value at `at`, and where it ends.
fn value<T: DeserializeOwned>(json: &[u8], at: usize) -> Option<(T, usize)> {
    let mut values = serde_json::Deserializer::from_slice(json.get(at..)?).into_iter::<T>();
    let value = values.next()?.ok()?;
    Some((value, at + values.byte_offset()))
}

fn skip_space(json: &[u8], from: usize) -> usize {
    let rest = json.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = "{\n  \"a\": [1, {\"b.c\": \"é\",\n    \"d\" : [[]] }],\n  \"\\u0065\": null\n}\n";

    #[test]
    fn finds_value_or_nearest() {
        let place = |path: &str| {
            let SourceLocation { line, column } = locate(JSON.as_bytes(), path);
            (line, column)
        };
        assert_eq!(place(""), (1, 1));
        assert_eq!(place("a"), (2, 8));
        assert_eq!(place("a[1]"), (2, 12));
        assert_eq!(place("a[1][\"b.c\"]"), (2, 20));
        assert_eq!(place("a[1].d[0]"), (3, 12));
        assert_eq!(place("/a/1/d/0"), (3, 12));
        assert_eq!(place("e"), (4, 13));
        assert_eq!(place("a[1].missing.more"), (2, 12));
        assert_eq!(place("a[7]"), (2, 8));
        assert_eq!(place("e.f"), (4, 13));
    }

    #[test]
    fn arbitrary_paths_do_not_panic() {
        for path in ["[", "[\"", "]", "..", "a..b", "a[", "a[1", "\u{0}", "/", "//a"] {
            for json in ["", " ", "{", "[1", "{\"a\"", "{\"a\":", "nonsense", "[1,,]", "\u{feff}{}"] {
                assert!(locate(json.as_bytes(), path).line >= 1);
            }
        }
    }
}
