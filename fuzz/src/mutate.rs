//! Inputs from seeds.

use serde_json::{Map, Value, json};

/// A seeded generator: the same seed, the same numbers.
#[derive(Debug, Clone)]
pub struct Random(fastrand::Rng);

impl Random {
    /// Starts at a seed.
    pub fn new(seed: u64) -> Self {
        Random(fastrand::Rng::with_seed(seed))
    }

    /// A number below `bound`; 0 for a bound of 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0.usize(..bound.max(1))
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }
}

/// One of the seeds, changed in a few places: as JSON where it is some, else, and at times, as bytes.
pub fn mutant(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let Some(seed) = random.pick(seeds).cloned() else { return vec![] };
    let as_bytes = random.below(4) == 0;
    if let (false, Ok(mut value)) = (as_bytes, serde_json::from_slice::<Value>(&seed)) {
        let other =
            random.pick(seeds).and_then(|other| serde_json::from_slice(other).ok()).unwrap_or_default();
        for _ in 0..=random.below(4) {
            change_json(random, &mut value, &other);
        }
        return value.to_string().into_bytes();
    }
    let mut bytes = seed;
    for _ in 0..=random.below(6) {
        change_bytes(random, &mut bytes, seeds);
    }
    bytes
}

/// Walks down to some value and puts something else there.
fn change_json(random: &mut Random, value: &mut Value, other: &Value) {
    let is_leaf = !matches!(value, Value::Array(list) if !list.is_empty())
        && !matches!(value, Value::Object(members) if !members.is_empty());
    if is_leaf || random.below(8) == 0 {
        *value = match random.below(3) {
            0 => part_of(random, other).clone(),
            _ => interesting(random, value),
        };
        return;
    }
    match value {
        Value::Array(list) => {
            let index = random.below(list.len());
            match random.below(10) {
                0 => drop(list.remove(index)),
                1 => list.extend(list.get(index).cloned()),
                2 => list.swap(0, index),
                _ => list.iter_mut().skip(index).take(1).for_each(|item| change_json(random, item, other)),
            }
        }
        Value::Object(members) => change_member(random, members, other),
        _ => {}
    }
}

fn change_member(random: &mut Random, members: &mut Map<String, Value>, other: &Value) {
    let Some(name) = members.keys().nth(random.below(members.len())).cloned() else { return };
    match random.below(10) {
        0 => drop(members.shift_remove(&name)),
        1 => {
            let value = members.shift_remove(&name).unwrap_or_default();
            let renamed = word(random, &name);
            members.insert(renamed, value);
        }
        2 => drop(members.insert("Statement".into(), part_of(random, other).clone())),
        _ => members.get_mut(&name).into_iter().for_each(|value| change_json(random, value, other)),
    }
}

fn part_of<'a>(random: &mut Random, value: &'a Value) -> &'a Value {
    let inner = match value {
        Value::Array(list) => list.get(random.below(list.len())),
        Value::Object(members) => members.values().nth(random.below(members.len())),
        _ => None,
    };
    match inner {
        Some(inner) if random.below(5) != 0 => part_of(random, inner),
        _ => value,
    }
}

/// Values that parsers tend to forget about.
fn interesting(random: &mut Random, now: &Value) -> Value {
    match random.below(14) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(-1),
        3 => json!(1e300),
        4 => json!(u64::MAX),
        5 => json!(""),
        6 => json!([]),
        7 => json!({}),
        8 => json!([now]),
        9 => json!({"AWS": now}),
        10 => (0..100).fold(now.clone(), |inner, _| json!([inner])),
        _ => json!(word(random, now.as_str().unwrap_or("*"))),
    }
}

/// A text, changed a little or to one that means something somewhere.
fn word(random: &mut Random, now: &str) -> String {
    const WORDS: [&str; 24] = [
        "*",
        "arn:",
        "arn:aws:iam::111111111111:root",
        "arn:aws:iam::222222222222:role/",
        "arn:aws:s3:::",
        "::::::",
        "AROAEXAMPLE",
        "111111111111",
        "kms:*",
        "s3:Get?bject",
        "${aws:PrincipalArn}",
        "${",
        "${*}",
        "é",
        "\u{0}",
        "\u{1f600}",
        "Deny",
        "2008-10-17",
        "StringNotLikeIfExists",
        "ForAllValues:StringEquals",
        "999999999999999999999999",
        "/",
        "[\"]",
        "a.b[0]",
    ];
    let characters: Vec<char> = now.chars().collect();
    let at = random.below(characters.len() + 1);
    let (before, after) = characters.split_at(at.min(characters.len()));
    let token = random.pick(&WORDS).copied().unwrap_or_default();
    match random.below(5) {
        0 => token.to_owned(),
        1 => before.iter().collect(),
        2 => after.iter().collect(),
        3 => before.iter().chain(after.iter().skip(1)).collect(),
        _ => before.iter().copied().chain(token.chars()).chain(after.iter().copied()).collect(),
    }
}

fn change_bytes(random: &mut Random, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    let at = random.below(bytes.len() + 1);
    let length = random.below(16).min(bytes.len() - at.min(bytes.len()));
    match random.below(7) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..at + length)),
        2 => bytes.insert(at, random.below(256) as u8),
        3 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << random.below(8)),
        4 => {
            let copy: Vec<u8> = bytes.iter().skip(at).take(length).copied().collect();
            bytes.extend(copy);
        }
        5 => {
            let token = word(random, "is not authorized to perform: ");
            drop(bytes.splice(at..at + length, token.into_bytes()));
        }
        _ => {
            let other = random.pick(seeds).cloned().unwrap_or_default();
            let from = random.below(other.len());
            bytes.truncate(at);
            bytes.extend(other.into_iter().skip(from));
        }
    }
}
