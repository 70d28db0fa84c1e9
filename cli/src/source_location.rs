//! From a path such as `stages[1].actions[0].roleArn` to its place in a JSON text.

use std::cell::RefCell;
use std::collections::HashMap;

use serde::de::{DeserializeOwned, IgnoredAny};

/// Line and column, counted from 1; columns count bytes, as the JSON parser's do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SourceLocation {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// Where the values of a JSON text are. Each object or array is read through once, however often it is asked about.
#[derive(Debug, Default)]
pub(crate) struct LocationIndex {
    /// Where each line begins.
    lines: Vec<usize>,
    /// For each character that is not ASCII: where it ends, and how many bytes more than UTF-16 units the text has
    /// had by then.
    wide: Vec<(usize, usize)>,
    /// For each object or array that was asked about, where its members begin.
    members: RefCell<HashMap<usize, HashMap<String, usize>>>,
    /// Bytes that were read, for tests.
    #[cfg(test)]
    read: std::cell::Cell<usize>,
}

impl LocationIndex {
    /// Finds the lines of a text.
    pub(crate) fn new(json: &[u8]) -> Self {
        let text = std::str::from_utf8(json).unwrap_or_default();
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(breaks).collect();
        let mut wide = vec![];
        let mut excess = 0;
        if !text.is_ascii() {
            for (at, c) in text.char_indices() {
                if !c.is_ascii() {
                    excess += c.len_utf8() - c.len_utf16();
                    wide.push((at + c.len_utf8(), excess));
                }
            }
        }
        LocationIndex { lines, wide, ..LocationIndex::default() }
    }

    /// Where the value at `path` begins, or where the deepest value begins that is on the way to it.
    ///
    /// `json` has to be valid, and that of the index; a path may be that of a finding (`keys["arn:…"].policy`) or a
    /// JSON pointer.
    pub(crate) fn locate(&self, json: &[u8], path: &str) -> SourceLocation {
        let mut at = skip_space(json, 0);
        for step in steps(path) {
            match self.step_into(json, at, &step) {
                Some(inner) => at = inner,
                None => break,
            }
        }
        let line = self.lines.partition_point(|start| *start <= at);
        SourceLocation { line, column: at - self.start_of(line) + 1 }
    }

    /// The bytes of a line, counted from 1, without its line break.
    pub(crate) fn line<'a>(&self, json: &'a [u8], number: usize) -> &'a [u8] {
        let end = self.lines.get(number).map_or(json.len(), |next| next - 1);
        let line = json.get(self.start_of(number)..end).unwrap_or_default();
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// The column in UTF-16 units.
    pub(crate) fn utf16_column(&self, place: SourceLocation) -> usize {
        let start = self.start_of(place.line);
        let excess = |at: usize| match self.wide.partition_point(|(end, _)| *end <= at).checked_sub(1) {
            Some(last) => self.wide.get(last).map_or(0, |(_, excess)| *excess),
            None => 0,
        };
        place.column - (excess(start + place.column - 1) - excess(start))
    }

    /// Where a line begins.
    fn start_of(&self, line: usize) -> usize {
        self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// Where the member or entry `step` of the value at `at` begins.
    fn step_into(&self, json: &[u8], at: usize, step: &str) -> Option<usize> {
        let mut known = self.members.borrow_mut();
        let members = known.entry(at).or_insert_with(|| {
            let (members, _end) = members(json, at);
            #[cfg(test)]
            self.read.set(self.read.get() + _end - at);
            members
        });
        members.get(step).copied()
    }
}

/// The keys and indices of a path.
pub(crate) fn steps(path: &str) -> Vec<String> {
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

/// Where the members or entries of the value at `at` begin, by key or index, and where it ends as far as it is valid.
/// Of keys that are there twice, the first counts.
fn members(json: &[u8], at: usize) -> (HashMap<String, usize>, usize) {
    let mut members = HashMap::new();
    let object = match json.get(at) {
        Some(b'{') => true,
        Some(b'[') => false,
        _ => return (members, at),
    };
    let mut at = skip_space(json, at + 1);
    while !matches!(json.get(at), None | Some(b'}' | b']')) {
        let mut step = members.len().to_string();
        if object {
            let Some((key, end)) = value::<String>(json, at) else { break };
            at = skip_space(json, skip_space(json, end) + 1);
            step = key;
        }
        members.entry(step).or_insert(at);
        let Some((_, end)) = value::<IgnoredAny>(json, at) else { break };
        at = skip_space(json, end);
        if json.get(at) == Some(&b',') {
            at = skip_space(json, at + 1);
        }
    }
    (members, at)
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
            let SourceLocation { line, column } =
                LocationIndex::new(JSON.as_bytes()).locate(JSON.as_bytes(), path);
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
                let index = LocationIndex::new(json.as_bytes());
                assert!(index.locate(json.as_bytes(), path).line >= 1);
            }
        }
    }

    /// Bytes that are read to find a thousand values, counted, in a text of so many members.
    fn read_for(members: usize) -> usize {
        let list: Vec<String> = (0..members).map(|number| format!("{{\"name\": [{number}]}}")).collect();
        let json = format!("{{\"a\": [{}]}}", list.join(", "));
        let index = LocationIndex::new(json.as_bytes());
        for number in 0..members {
            let place = index.locate(json.as_bytes(), &format!("a[{number}].name[0]"));
            let value = json.as_bytes().get(place.column - 1..).unwrap();
            assert!(value.starts_with(number.to_string().as_bytes()));
        }
        index.read.get()
    }

    #[test]
    fn finding_all_values_is_linear() {
        assert!(read_for(4_000) <= read_for(1_000) * 5, "{} and {}", read_for(4_000), read_for(1_000));
    }

    #[test]
    fn columns_count_utf16_units() {
        let json = "\n{\"\u{1f600}é\": 1, \"b\": 2}";
        let index = LocationIndex::new(json.as_bytes());
        let place = index.locate(json.as_bytes(), "b");
        let expected =
            json.lines().nth(1).unwrap().get(..place.column - 1).unwrap().encode_utf16().count() + 1;
        assert_eq!((place.line, index.utf16_column(place)), (2, expected));
    }
}
