//! What has to be there in the end.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::outsider::Outsider;
use super::{Deed, text};
use crate::workbench::{Kind, Targets, Workbench, is_own_statement, writer_accounts};

/// What the answers say is granted, by kind and writer; and what was there before anybody came.
#[derive(Debug, Default)]
pub(super) struct Expected {
    granted: BTreeMap<(Kind, usize), Granted>,
    before: BTreeMap<Kind, Value>,
}

#[derive(Debug)]
struct Granted {
    id: String,
    updated: bool,
    /// The statements of a policy, by name.
    statements: BTreeSet<String>,
}

/// The name of the action that a writer adds.
pub(super) fn action_name(writer: usize) -> String {
    format!("Crowd{writer}")
}

/// What an action is given, at first and after an update.
pub(super) fn group_name(updated: bool) -> &'static str {
    if updated { "updated" } else { "first" }
}

impl Expected {
    /// Nothing granted yet, on these targets.
    pub(super) fn before(bench: &Workbench, targets: &Targets) -> Result<Self, String> {
        let read = |kind| Ok((kind, bench.read(kind, targets).map_err(|error| error.to_string())?));
        Ok(Self {
            granted: BTreeMap::new(),
            before: super::KINDS.into_iter().map(read).collect::<Result<_, String>>()?,
        })
    }

    pub(super) fn grant(&mut self, kind: Kind, writer: usize, updated: bool, answer: &Value) {
        let listed = answer.pointer("/Data/StatementIds").cloned().unwrap_or_default();
        // A list, or its items in one text.
        let listed = match &listed {
            Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            other => other
                .as_str()
                .unwrap_or_default()
                .split(',')
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect(),
        };
        let granted = Granted { id: text(answer, "PhysicalResourceId"), updated, statements: listed };
        self.granted.insert((kind, writer), granted);
    }

    pub(super) fn revoke(&mut self, kind: Kind, writer: usize) {
        self.granted.remove(&(kind, writer));
    }

    pub(super) fn apply(&mut self, kind: Kind, writer: usize, deed: Deed, answer: &Value) {
        match deed {
            Deed::Grant => self.grant(kind, writer, false, answer),
            Deed::Update => self.grant(kind, writer, true, answer),
            Deed::Revoke => self.revoke(kind, writer),
        }
    }

    /// The physical id of what a writer has granted, and whether it was updated.
    pub(super) fn granted(&self, kind: Kind, writer: usize) -> Option<(String, bool)> {
        self.granted.get(&(kind, writer)).map(|granted| (granted.id.clone(), granted.updated))
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (usize, &Granted)> {
        self.granted
            .iter()
            .filter(move |((of, _), _)| *of == kind)
            .map(|((_, writer), granted)| (*writer, granted))
    }
}

/// Compares every target with what was answered and with what the other one did.
pub(super) fn check_targets(
    bench: &Workbench,
    targets: &Targets,
    expected: &Expected,
    outsiders: &[Outsider<'_>],
) -> Result<(), String> {
    for outsider in outsiders {
        let kind = outsider.kind();
        let found = bench.read(kind, targets).map_err(|error| error.to_string())?;
        let checked = match kind {
            Kind::Key | Kind::Bucket => check_policy(&found, expected, outsider),
            Kind::Project => check_project(&found, targets, expected, outsider),
            Kind::Pipeline => check_pipeline(&found, targets, expected, outsider),
            Kind::Role => Ok(()),
        };
        checked.map_err(|problem| format!("{}: {problem}", kind.name()))?;
        let before = expected.before.get(&kind).cloned().unwrap_or_default();
        let (before, others) = (strip(before), strip(found));
        if before != others {
            return Err(format!("{}: what is nobody's is {others} instead of {before}", kind.name()));
        }
    }
    Ok(())
}

/// What is neither Crosspipe's nor the other one's.
fn strip(mut document: Value) -> Value {
    if let Some(statements) = document.get_mut("Statement").and_then(Value::as_array_mut) {
        statements
            .retain(|statement| !is_own_statement(statement) && !text(statement, "Sid").starts_with("Edit"));
    }
    for stage in document.get_mut("stages").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(actions) = stage.get_mut("actions").and_then(Value::as_array_mut) {
            actions.retain(|action| !text(action, "name").starts_with("Crowd"));
        }
    }
    for (parent, member) in [
        ("", "encryptionKey"),
        ("", "description"),
        ("/artifactStore", "encryptionKey"),
        ("/stages/0/actions/0", "namespace"),
    ] {
        if let Some(Value::Object(members)) = document.pointer_mut(parent) {
            members.remove(member);
        }
    }
    document
}

fn check_policy(found: &Value, expected: &Expected, outsider: &Outsider<'_>) -> Result<(), String> {
    let statements = found.get("Statement").and_then(Value::as_array).cloned().unwrap_or_default();
    let (own, others): (Vec<Value>, Vec<Value>) = statements.into_iter().partition(is_own_statement);
    let names: BTreeSet<String> = own.iter().map(|statement| text(statement, "Sid")).collect();
    let all: BTreeSet<String> =
        expected.of_kind(outsider.kind()).flat_map(|(_, granted)| granted.statements.clone()).collect();
    if names != all {
        let lost: Vec<_> = all.difference(&names).collect();
        let surplus: Vec<_> = names.difference(&all).collect();
        return Err(format!("of Crosspipe's statements {lost:?} are lost, {surplus:?} are too many"));
    }
    let own = Value::from(own).to_string();
    for (writer, granted) in expected.of_kind(outsider.kind()) {
        let [first, second] = writer_accounts(writer);
        if !own.contains(&first) || own.contains(&second) != granted.updated {
            return Err(format!("writer {writer} does not have what was answered: {own}"));
        }
    }
    let edits: Vec<String> = others
        .iter()
        .map(|statement| text(statement, "Sid"))
        .filter(|name| name.starts_with("Edit"))
        .collect();
    if edits != outsider.statements() {
        return Err(format!(
            "of the other's edits there are {edits:?} instead of {:?}",
            outsider.statements()
        ));
    }
    Ok(())
}

fn check_project(
    found: &Value,
    targets: &Targets,
    expected: &Expected,
    outsider: &Outsider<'_>,
) -> Result<(), String> {
    let [key, _] = &targets.keys;
    let wanted = if expected.of_kind(Kind::Project).next().is_some() { key } else { "" };
    if text(found, "encryptionKey") != wanted || text(found, "description") != outsider.mark() {
        return Err(format!("instead of key `{wanted}` and `{}` there is {found}", outsider.mark()));
    }
    Ok(())
}

fn check_pipeline(
    found: &Value,
    targets: &Targets,
    expected: &Expected,
    outsider: &Outsider<'_>,
) -> Result<(), String> {
    let [key, _] = &targets.keys;
    let wanted: BTreeMap<String, &str> = expected
        .of_kind(Kind::Pipeline)
        .map(|(writer, granted)| (action_name(writer), group_name(granted.updated)))
        .collect();
    let stages = found.get("stages").and_then(Value::as_array).into_iter().flatten();
    let actions = stages.filter_map(|stage| stage.get("actions")?.as_array()).flatten();
    let ours = actions.filter(|action| text(action, "name").starts_with("Crowd"));
    let listed: Vec<(String, String)> = ours
        .map(|action| {
            (
                text(action, "name"),
                action
                    .pointer("/configuration/DeploymentGroupName")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
            )
        })
        .collect();
    let is_same = listed.len() == wanted.len()
        && listed.iter().all(|(name, group)| wanted.get(name) == Some(&group.as_str()));
    if !is_same {
        return Err(format!("the actions are {listed:?} instead of {wanted:?}"));
    }
    let set = found.pointer("/artifactStore/encryptionKey/id").and_then(Value::as_str).unwrap_or_default();
    let key = if wanted.is_empty() { "" } else { key };
    if set != key {
        return Err(format!("the key is `{set}` instead of `{key}`"));
    }
    match found.pointer("/stages/0/actions/0/namespace").and_then(Value::as_str) {
        Some(namespace) if namespace == outsider.mark() => Ok(()),
        other => Err(format!("the other's last edit is {other:?} instead of {}", outsider.mark())),
    }
}
