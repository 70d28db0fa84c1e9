//! What `Custom::PipelinePatch` does to a pipeline: artifact keys, added actions and action roles.
//!
//! Everything is computed in one go from the live pipeline, its tags and the request; nothing is read
//! or written here. What the patch replaces is remembered in the pipeline's tags (see [`OwnerState`]), so that
//! any later request, and nobody's disk, can put it back.
//!
//! # Order of writes
//! 1. `TagResource` with [`Change::tags_to_add`]: remember first,
//! 2. `UpdatePipeline` with [`Change::pipeline`],
//! 3. `UntagResource` with [`Change::tags_to_remove`]: forget last.
//!
//! Stop anywhere in between, and the same request planned again completes the work.
//!
//! # Several owners on one slot
//! A slot is a store's key or an action's role. Each owner remembers what the slot held when it came, and
//! how many owners came before it (`rank`). An owner that leaves from the middle hands what it remembers to
//! the next one and leaves the live value; only the last one restores. An owner that asks again for another
//! value than the live one takes the slot over.

mod actions;
mod declaration;
mod editor;
mod error;
mod names;
mod owner_state;
mod ownership_state;
mod planning;
mod settings;
mod tags;

use std::collections::BTreeMap;

use serde_json::Value;

use self::planning::Planning;
use super::Pipeline;
use crate::owner::Owner;

pub use declaration::declaration_from_cloudformation;
pub use error::PatchError;
pub use owner_state::OwnerState;

/// What one owner wants a pipeline to have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Desired {
    /// Customer managed keys of the artifact stores.
    pub encryption_keys: KeyChoice,
    /// Actions to add, in this order.
    pub actions: Vec<NewAction>,
    /// Roles to give to actions that are there already.
    pub roles: Vec<ActionRole>,
}

/// Which keys the artifact stores get.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KeyChoice {
    /// Leave the stores as they are.
    #[default]
    None,
    /// One key ARN for every store.
    All(String),
    /// A key ARN for each Region named. Every Region needs a store; other stores stay as they are.
    ByRegion(BTreeMap<String, String>),
}

/// An action to add to a stage.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAction {
    /// The stage; it is created if the pipeline has none of this name.
    pub stage: String,
    /// Where a new stage goes: directly after this one, or to the end if none is given. It is not looked
    /// at if the stage exists, except that a changed value moves a stage that holds only our own actions.
    pub after_stage: Option<String>,
    /// The action in the casing of the API (`name`, `actionTypeId`, …), as
    /// [`declaration_from_cloudformation`] returns it.
    pub declaration: Value,
}

impl NewAction {
    fn name(&self) -> &str {
        self.declaration.get("name").and_then(Value::as_str).unwrap_or_default()
    }
}

/// A role for an action that the pipeline has already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionRole {
    /// The action's stage.
    pub stage: String,
    /// The action's name.
    pub action: String,
    /// The role that is to perform it.
    pub role_arn: String,
}

/// What has to be written, in the order that the module documentation gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// The structure for `UpdatePipeline`; `None` if the pipeline needs no change.
    pub pipeline: Option<Value>,
    /// Tags to set before `UpdatePipeline`.
    pub tags_to_add: BTreeMap<String, String>,
    /// Keys of tags to remove after `UpdatePipeline`.
    pub tags_to_remove: Vec<String>,
    /// What was not put back and why, one sentence each.
    pub drifted: Vec<String>,
}

impl Change {
    /// Whether there is nothing to write.
    pub fn is_none(&self) -> bool {
        self.pipeline.is_none() && self.tags_to_add.is_empty() && self.tags_to_remove.is_empty()
    }
}

/// Plans a Create or an Update: takes back what `owner` no longer wants and sets what it wants.
///
/// `tags` are all tags of the pipeline. `previous` is what the owner asked for before; together with
/// `desired` it tells our own values from those that somebody else set since.
///
/// # Errors
/// A request that doesn't fit the pipeline: see [`PatchError`]. Nothing is to be written then.
pub fn plan(
    current: &Pipeline,
    tags: &BTreeMap<String, String>,
    owner: &Owner,
    desired: &Desired,
    previous: Option<&Desired>,
) -> Result<Change, PatchError> {
    let set_by_us = [Some(desired), previous].into_iter().flatten().collect();
    let mut planning = Planning::new(current, tags, owner, set_by_us);
    planning.check(desired)?;
    let slots = planning.slots_of(desired)?;
    planning.release_all_but(&slots);
    planning.remove_actions_not_in(desired);
    planning.place_actions(desired, previous)?;
    planning.check_roles(desired)?;
    for (slot, value) in &slots {
        planning.take(slot, value);
    }
    planning.finish_within_tag_limit()
}

/// Plans a Delete: takes back whatever `owner` did to the pipeline.
///
/// `desired_as_set` is everything that the owner may have set: the properties of the Delete request, and of
/// an Update that failed before it, if known. A value that is neither is somebody else's and stays.
pub fn plan_revert(
    current: &Pipeline,
    tags: &BTreeMap<String, String>,
    owner: &Owner,
    desired_as_set: &[&Desired],
) -> Change {
    let mut planning = Planning::new(current, tags, owner, desired_as_set.to_vec());
    planning.release_all_but(&BTreeMap::new());
    planning.remove_actions_not_in(&Desired::default());
    planning.forget_actions();
    planning.finish()
}
