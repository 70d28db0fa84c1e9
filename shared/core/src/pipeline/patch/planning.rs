use std::collections::BTreeMap;

use super::editor::PipelineEditor;
use super::error::PatchError;
use super::owner_state::action_id;
use super::ownership_state::OwnershipState;
use super::tags::Tags;
use super::{Change, Desired};
use crate::owner::Owner;
use crate::pipeline::{Pipeline, check};

/// Tags that a pipeline can have; those of AWS itself (`aws:…`) don't count.
const TAG_LIMIT: usize = 50;

/// A change in the making.
pub(super) struct Planning<'a> {
    pub(super) draft: PipelineEditor,
    pub(super) ledger: OwnershipState,
    /// Requests whose values are ours when we meet them in the pipeline.
    pub(super) set_by_us: Vec<&'a Desired>,
    pub(super) drifted: Vec<String>,
    current: &'a Pipeline,
    tags: &'a Tags,
}

impl<'a> Planning<'a> {
    pub(super) fn new(
        current: &'a Pipeline,
        tags: &'a Tags,
        owner: &Owner,
        set_by_us: Vec<&'a Desired>,
    ) -> Self {
        let ledger = OwnershipState::new(tags, owner.short());
        let damaged = ledger.mine.damaged.iter();
        let drifted = damaged
            .map(|key| format!("the tag `{key}` can't be read, so what it remembered is not put back"))
            .collect();
        Self { draft: PipelineEditor::new(current), ledger, set_by_us, drifted, current, tags }
    }

    /// Refuses a request that is wrong whatever the pipeline looks like.
    pub(super) fn check(&self, desired: &Desired) -> Result<(), PatchError> {
        let mut added = BTreeMap::new();
        for (index, new) in desired.actions.iter().enumerate() {
            let path = format!("Actions[{index}]");
            check_name(&new.stage, &format!("{path}.Stage"))?;
            check::action(&new.declaration, &format!("{path}.Action"))?;
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

    pub(super) fn finish_within_tag_limit(self) -> Result<Change, PatchError> {
        let tags = self.tags;
        let change = self.finish();
        // New tags are set before old ones are removed, so for a moment the pipeline has both.
        let new = change.tags_to_add.keys().filter(|key| !tags.contains_key(*key));
        let count = tags.keys().chain(new.clone()).filter(|key| !key.starts_with("aws:")).count();
        if count > TAG_LIMIT && new.count() > 0 {
            return Err(PatchError::TooManyTags { count, limit: TAG_LIMIT });
        }
        Ok(change)
    }

    pub(super) fn finish(self) -> Change {
        let (tags_to_add, tags_to_remove) = self.ledger.difference(self.tags);
        let pipeline = self.draft.into_value();
        Change {
            pipeline: (pipeline != *self.current.as_value()).then_some(pipeline),
            tags_to_add,
            tags_to_remove,
            drifted: self.drifted,
        }
    }
}

/// Names of stages and actions: 1 to 100 of `A-Z a-z 0-9 . @ - _`.
/// See <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_StageDeclaration.html>.
pub(super) fn check_name(name: &str, path: &str) -> Result<(), PatchError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".@-_".contains(&byte);
    if (1..=100).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    let problem = format!("is `{name}`; a name is 1 to 100 letters, digits or `.`, `@`, `-`, `_`");
    Err(PatchError::Declaration { path: path.to_owned(), problem })
}
