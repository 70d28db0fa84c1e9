//! Files that may hold any bytes, and where in them something is wrong.

use std::borrow::Cow;
use std::fmt;
use std::io::{Read, stdin};
use std::path::Path;

use crosspipe_core::snapshot::{Snapshot, SnapshotError};
use serde_json::Value;

use crate::source_location::{LocationIndex, SourceLocation};

/// A file of JSON.
#[derive(Debug)]
pub(crate) struct Document {
    name: String,
    bytes: Vec<u8>,
    value: Value,
    locations: LocationIndex,
    expected: &'static str,
}

/// Why a file can't be used: where, what is wrong, what was expected.
#[derive(Debug)]
pub(crate) struct InputError {
    file: String,
    place: Option<SourceLocation>,
    problem: String,
    expected: &'static str,
}

impl Document {
    /// Reads a file, or standard input where it is `-`.
    pub(crate) fn read(path: &Path, expected: &'static str) -> Result<Self, InputError> {
        let (name, bytes) = read_bytes(path, expected)?;
        Document::parse(name, bytes, expected)
    }

    /// The same of a file that may also be YAML, as templates are.
    pub(crate) fn read_json_or_yaml(path: &Path, expected: &'static str) -> Result<Self, InputError> {
        let (name, bytes) = read_bytes(path, expected)?;
        match std::str::from_utf8(&bytes) {
            Ok(text) if is_yaml(&bytes) => {
                let value = crate::yaml::to_json(text).map_err(|error| InputError {
                    file: name.clone(),
                    place: None,
                    problem: error.to_string(),
                    expected,
                })?;
                Document::parse(name, value.to_string().into_bytes(), expected)
            }
            _ => Document::parse(name, bytes, expected),
        }
    }

    /// Takes bytes that came from `name`.
    pub(crate) fn parse(name: String, bytes: Vec<u8>, expected: &'static str) -> Result<Self, InputError> {
        let unusable =
            |place, problem| InputError { file: name.clone(), place: Some(place), problem, expected };
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            let start = SourceLocation { line: 1, column: 1 };
            return Err(unusable(start, "it is UTF-16; save it as UTF-8".into()));
        }
        // A byte-order mark, as some editors and shells write it, is no part of the JSON.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec).unwrap_or(bytes);
        let value = serde_json::from_slice(&bytes).map_err(|error| {
            let problem = match is_yaml(&bytes) {
                true => "it is YAML, and JSON is needed; `--output json` has the AWS CLI print it".to_owned(),
                false => format!("it is not JSON: {}", without_place(&error)),
            };
            unusable(place_of(&error), problem)
        })?;
        let locations = LocationIndex::new(&bytes);
        Ok(Document { name, bytes, value, locations, expected })
    }

    /// The file's name, for people.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What is in it.
    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    /// One of its lines, counted from 1.
    pub(crate) fn line(&self, number: usize) -> Cow<'_, str> {
        String::from_utf8_lossy(self.locations.line(&self.bytes, number))
    }

    /// The column of a place in UTF-16 units.
    pub(crate) fn utf16_column(&self, place: SourceLocation) -> usize {
        self.locations.utf16_column(place)
    }

    /// It as a snapshot.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, InputError> {
        let snapshot =
            Snapshot::from_value(self.value.clone()).map_err(|error| self.unusable_snapshot(&error))?;
        snapshot.pipeline().map_err(|error| self.unusable_snapshot(&error))?;
        Ok(snapshot)
    }

    fn unusable_snapshot(&self, error: &SnapshotError) -> InputError {
        let place = match error {
            SnapshotError::Pipeline(error) => self.place(&error.field),
            // The value has lost its places; the text still has them.
            SnapshotError::Part(_) => match serde_json::from_slice::<Snapshot>(&self.bytes) {
                Err(error) => place_of(&error),
                Ok(_) => self.place(""),
            },
            SnapshotError::NotASnapshot => self.place(""),
        };
        self.unusable(place, error.to_string())
    }

    /// Something is wrong with the value at `path`.
    pub(crate) fn wrong_at(&self, path: &str, problem: impl Into<String>) -> InputError {
        self.unusable(self.place(path), problem.into())
    }

    /// Where the value at a finding's path is. Paths of the pipeline begin at its structure, wherever that is.
    pub(crate) fn place(&self, path: &str) -> SourceLocation {
        let member = |value: &Value, name: &str| value.get(name).is_some();
        let first = path.split(['.', '[']).next().unwrap_or_default();
        let prefix = if path.is_empty() || path.starts_with(['/', '[']) || member(&self.value, first) {
            ""
        } else if self.value.get("pipeline").is_some_and(|pipeline| member(pipeline, "pipeline")) {
            "pipeline.pipeline."
        } else {
            "pipeline."
        };
        self.locations.locate(&self.bytes, &format!("{prefix}{path}"))
    }

    fn unusable(&self, place: SourceLocation, problem: String) -> InputError {
        InputError { file: self.name.clone(), place: Some(place), problem, expected: self.expected }
    }
}

impl InputError {
    /// The same problem of a line that was read alone.
    pub(crate) fn on_line(mut self, number: usize) -> Self {
        self.place = self.place.map(|place| SourceLocation { line: number, ..place });
        self
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.file)?;
        if let Some(SourceLocation { line, column }) = self.place {
            write!(formatter, ":{line}:{column}")?;
        }
        write!(formatter, ": {}\n  expected: {}", self.problem, self.expected)
    }
}

/// The name and the bytes of a file, or of standard input where it is `-`.
fn read_bytes(path: &Path, expected: &'static str) -> Result<(String, Vec<u8>), InputError> {
    let (name, bytes) = if path.as_os_str() == "-" {
        let mut bytes = vec![];
        ("standard input".to_owned(), stdin().read_to_end(&mut bytes).map(|_| bytes))
    } else {
        (path.display().to_string(), std::fs::read(path))
    };
    let bytes = bytes.map_err(|error| InputError {
        file: name.clone(),
        place: None,
        problem: format!("it can't be read: {error}"),
        expected,
    })?;
    Ok((name, bytes))
}

/// Whether the first line that says something is one that YAML has and JSON has not: `Key: value`, `- value`, `---`.
fn is_yaml(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let mut lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.next().is_some_and(|line| {
        let is_key =
            |key: &str| !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "-_. ".contains(c));
        line == "---"
            || line.starts_with("- ")
            || line
                .split_once(':')
                .is_some_and(|(key, rest)| is_key(key) && (rest.is_empty() || rest.starts_with(' ')))
    })
}

/// The end of an empty file is line 1, column 0 for the parser.
fn place_of(error: &serde_json::Error) -> SourceLocation {
    SourceLocation { line: error.line().max(1), column: error.column().max(1) }
}

/// The parser's message without the place at its end.
fn without_place(error: &serde_json::Error) -> String {
    let message = error.to_string();
    message.rsplit_once(" at line ").map_or(message.clone(), |(message, _)| message.to_owned())
}
