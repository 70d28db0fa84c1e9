use std::collections::BTreeMap;

use super::editor::PipelineEditor;
use super::error::PatchError;
use super::owner_state::{OwnerStates, Ownership, action_id};
use super::{Change, Desired};
use crate::field_error::FieldError;
use crate::owner::Owner;
use crate::pipeline::{Pipeline, check};

/// A change in the making.
pub(super) struct Planning<'a> {
    pub(super) draft: PipelineEditor,
    pub(super) ownership: Ownership,
    pub(super) drifted: Vec<String>,
    current: &'a Pipeline,
}

impl<'a> Planning<'a> {
    pub(super) fn new(current: &'a Pipeline, states: &OwnerStates, owner: &Owner) -> Self {
        let ownership = Ownership::new(states, owner.short());
        Self { draft: PipelineEditor::new(current), ownership, drifted: Vec::new(), current }
    }

    /// Refuses a request that is wrong whatever the pipeline looks like.
    pub(super) fn check(&self, desired: &Desired) -> Result<(), PatchError> {
        let mut added = BTreeMap::new();
        for (index, new) in desired.actions.iter().enumerate() {
            let path = format!("Actions[{index}]");
            check_name(&new.stage, &format!("{path}.Stage"))?;
            check::check_action(&new.declaration, &format!("{path}.Action"))?;
            if let Some(first) = added.insert(action_id(&new.stage, new.name()), path.clone()) {
                let (stage, action) = (new.stage.clone(), new.name().to_owned());
                return Err(PatchError::Duplicate { path, first, stage, action });
            }
        }
        let mut roles = BTreeMap::new();
        for (index, role) in desired.roles.iter().enumerate() {
            let path = format!("ActionRoles[{index}]");
            let (id, stage, action) =
                (action_id(&role.stage, &role.action), role.stage.clone(), role.action.clone());
            if let Some(first) = added.get(&id).cloned() {
                return Err(PatchError::RoleOfAddedAction { path, first, stage, action });
            }
            if let Some(first) = roles.insert(id, path.clone()) {
                return Err(PatchError::Duplicate { path, first, stage, action });
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Change {
        let pipeline = Some(self.draft.into_value()).filter(|it| it != self.current.as_value());
        let (during, after) = self.ownership.into_states();
        Change { pipeline, during, after, drifted: self.drifted }
    }
}

/// Names of stages and actions: 1 to 100 of `A-Z a-z 0-9 . @ - _`.
/// See <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StageDeclaration.html>.
pub(super) fn check_name(name: &str, path: &str) -> Result<(), FieldError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".@-_".contains(&byte);
    if (1..=100).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    let help = "a name is 1 to 100 letters, digits or `.`, `@`, `-`, `_`";
    Err(FieldError::new(path, format!("is `{name}`"), help))
}
