//! What `Custom::PipelinePatch` does to a pipeline: artifact keys, added actions and action roles.
//!
//! Everything is computed in one go from the live pipeline, what is on record and the request; nothing is read
//! or written here. What the patch replaces is kept on record (see [`OwnerState`]) by whoever writes it.
//!
//! # Order of writes
//! 1. [`Change::during`] is put on record,
//! 2. `UpdatePipeline` with [`Change::pipeline`],
//! 3. [`Change::after`] is put on record.
//!
//! Stop anywhere in between, and the same request planned again completes the work.
//!
//! An approval action is never removed or replaced, whoever added it.

mod actions;
mod declaration;
mod editor;
mod error;
mod names;
mod owner_state;
mod planning;
mod settings;

use std::collections::BTreeMap;

use serde_json::Value;

use self::planning::Planning;
use super::Pipeline;
use crate::owner::Owner;

pub use declaration::declaration_from_cloudformation;
pub use error::PatchError;
pub use owner_state::{AddedAction, OwnerState, OwnerStates, Setting, SettingError};

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
    fn category(&self) -> &str {
        self.declaration.pointer("/actionTypeId/category").and_then(Value::as_str).unwrap_or_default()
    }

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
    /// What all owners have to have on record while the pipeline is updated.
    pub during: OwnerStates,
    /// What all owners have to have on record afterwards.
    pub after: OwnerStates,
    /// What was not put back and why, one sentence each.
    pub drifted: Vec<String>,
}

/// Plans a Create or an Update: takes back what `owner` no longer wants and sets what it wants.
///
/// `states` is what all owners of patches of this pipeline have on record.
///
/// # Errors
/// A request that doesn't fit the pipeline: see [`PatchError`]. Nothing is to be written then.
pub fn plan(
    current: &Pipeline,
    states: &OwnerStates,
    owner: &Owner,
    desired: &Desired,
) -> Result<Change, PatchError> {
    let mut planning = Planning::new(current, states, owner);
    planning.check(desired)?;
    let settings = planning.settings_of(desired)?;
    planning.release_all_but(&settings);
    planning.remove_actions_not_in(desired);
    planning.place_actions(desired)?;
    planning.check_roles(desired)?;
    for (setting, value) in &settings {
        planning.take(setting, value);
    }
    Ok(planning.finish())
}

/// Plans a Delete: takes back what `owner` has on record of the pipeline. A value that the record does not say was
/// set is somebody else's and stays.
pub fn plan_revert(current: &Pipeline, states: &OwnerStates, owner: &Owner) -> Change {
    let mut planning = Planning::new(current, states, owner);
    planning.release_all_but(&BTreeMap::new());
    planning.remove_actions_not_in(&Desired::default());
    planning.forget_actions();
    planning.finish()
}
