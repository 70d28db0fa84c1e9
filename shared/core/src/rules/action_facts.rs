//! A cross-account action with the facts that belong to it, and the actions that one fault concerns.

use super::facts::{Facts, role_label};
use crate::arn::Arn;
use crate::pipeline::{Action, Store};
use crate::providers::{ActionPlace, Provider};

/// A cross-account action and what it uses.
#[derive(Debug, Clone, Copy)]
pub struct ActionFacts<'a> {
    pub(super) facts: &'a Facts<'a>,
    /// The action declaration.
    pub action: Action<'a>,
    /// The target account.
    pub account: &'a str,
}

impl<'a> ActionFacts<'a> {
    /// Everything else.
    pub fn facts(&self) -> &'a Facts<'a> {
        self.facts
    }

    /// The action role's ARN.
    pub fn role_arn(&self) -> &'a str {
        self.action.role_arn().unwrap_or_default()
    }

    /// The store that the action reads artifacts from and writes them to, if it has any artifact.
    pub fn store(&self) -> Option<Store<'a>> {
        let has_artifacts =
            self.action.input_artifacts().next().is_some() || self.action.output_artifacts().next().is_some();
        self.facts.pipeline().store_for(self.action.region()).filter(|_| has_artifacts)
    }

    /// The ARN of the store's customer managed key, where it is given by ARN.
    pub fn key_arn(&self) -> Option<Arn> {
        self.facts.key_of(&self.store()?)
    }

    /// The provider of the action.
    pub fn provider(&self) -> Provider {
        Provider::of(&self.action)
    }

    /// The action and where it works.
    pub fn place(&self) -> ActionPlace<'a> {
        ActionPlace {
            action: self.action,
            account: Some(self.account),
            region: self.region(),
            partition: self.facts.partition(),
        }
    }

    /// The Region that the action works in.
    pub fn region(&self) -> Option<&'a str> {
        self.facts.region_of(&self.action)
    }

    /// How to speak of the action: `Stage/Action`.
    pub fn label(&self) -> String {
        format!("{}/{}", self.action.stage().name(), self.action.name())
    }

    /// How to speak of its role: by name and account, since the ARN stands where it is needed.
    pub fn role_label(&self) -> String {
        role_label(self.role_arn())
    }
}

/// Cross-account actions that one fault concerns. There is at least one.
#[derive(Debug)]
pub(super) struct ActionGroup<'a> {
    /// The first of them, which has in common with the others what they were grouped by.
    pub first: ActionFacts<'a>,
    /// All of them.
    pub actions: Vec<ActionFacts<'a>>,
}

impl<'a> ActionGroup<'a> {
    /// One action alone.
    pub(super) fn of(action: ActionFacts<'a>) -> Self {
        ActionGroup { first: action, actions: vec![action] }
    }

    /// How to speak of them.
    pub(super) fn label(&self) -> String {
        labels(self.actions.iter().map(ActionFacts::label).collect())
    }

    /// What they do with their artifacts.
    pub(super) fn use_of_artifacts(&self) -> &'static str {
        let any = |has: fn(&Action<'a>) -> bool| self.actions.iter().any(|it| has(&it.action));
        let reads = any(|it| it.input_artifacts().next().is_some());
        let writes = any(|it| it.output_artifacts().next().is_some());
        match (reads, writes) {
            (true, true) => "read and write",
            (false, true) => "write",
            _ => "read",
        }
    }

    /// Those whose artifacts are read and written by their own role.
    pub(super) fn with_artifacts_of_role(&self) -> impl Iterator<Item = &ActionFacts<'a>> {
        self.actions.iter().filter(|action| action.provider().artifacts().is_action_role())
    }
}

/// The alias's ARN by which the key of a group's artifacts is given, where nobody knows which key that is.
pub(super) fn unresolved_alias<'a>(group: &ActionGroup<'a>) -> Option<&'a str> {
    group.with_artifacts_of_role().next()?;
    group.first.facts.unresolved_alias(&group.first.store()?)
}

/// As a sentence has them: the first three, and how many more there are.
pub(super) fn labels(labels: Vec<String>) -> String {
    match labels.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] if labels.len() <= 3 => format!("{} and {last}", rest.join(", ")),
        [first, second, third, more @ ..] => format!("{first}, {second}, {third} and {} more", more.len()),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
