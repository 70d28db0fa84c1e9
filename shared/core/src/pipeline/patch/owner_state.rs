use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::owned_setting::{Owners, Replaced, during_write};

/// What one owner's patch replaced in a pipeline and added to it. Kept on record by whoever writes the patch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerState {
    /// What the settings held before.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) settings: BTreeMap<Setting, Replaced>,
    /// The actions added, by [`action_id`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) actions: BTreeMap<String, AddedAction>,
}

/// What all owners have replaced and added, by [`Owner::short`](crate::owner::Owner::short).
pub type OwnerStates = BTreeMap<String, OwnerState>;

/// An action that a patch added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedAction {
    /// Its stage.
    pub stage: String,
    /// The stage that its own was placed after; none for the end of the pipeline.
    pub after_stage: Option<String>,
}

/// A place in the pipeline that holds one value, which several owners may want to set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Setting {
    /// `encryptionKey` of the store of a Region, or of `DEFAULT_STORE`.
    Key(String),
    /// `roleArn` of the action with this `action_id`.
    Role(String),
}

/// Stands for `artifactStore` where a Region stands for an entry of `artifactStores`.
pub(super) const DEFAULT_STORE: &str = "default";

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(region) => write!(f, "key:{region}"),
            Self::Role(id) => write!(f, "role:{id}"),
        }
    }
}

impl From<Setting> for String {
    fn from(setting: Setting) -> Self {
        setting.to_string()
    }
}

/// A text that names no setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither `key:REGION` nor `role:STAGE/ACTION`")]
pub struct SettingError(String);

impl TryFrom<String> for Setting {
    type Error = SettingError;

    fn try_from(text: String) -> Result<Self, SettingError> {
        match text.split_once(':') {
            Some(("key", region)) => Ok(Self::Key(region.to_owned())),
            Some(("role", id)) => Ok(Self::Role(id.to_owned())),
            _ => Err(SettingError(text)),
        }
    }
}

/// Names an action within a pipeline. Names of stages and actions have no slash.
pub(super) fn action_id(stage: &str, action: &str) -> String {
    format!("{stage}/{action}")
}

/// What all owners have on record, as one owner changes it.
pub(super) struct Ownership {
    owner: String,
    /// The owners of each setting.
    pub(super) settings: BTreeMap<Setting, Owners>,
    /// What the owner added.
    pub(super) added: BTreeMap<String, AddedAction>,
    before: OwnerStates,
}

impl Ownership {
    pub(super) fn new(states: &OwnerStates, owner: String) -> Self {
        let mut settings: BTreeMap<Setting, Owners> = BTreeMap::new();
        for (owner, state) in states {
            for (setting, replaced) in &state.settings {
                settings.entry(setting.clone()).or_default().insert(owner.clone(), replaced.clone());
            }
        }
        let added = states.get(&owner).map(|state| state.actions.clone()).unwrap_or_default();
        Self { owner, settings, added, before: states.clone() }
    }

    pub(super) fn owner(&self) -> &str {
        &self.owner
    }

    /// The settings that the owner has set.
    pub(super) fn own_settings(&self) -> Vec<Setting> {
        let own = self.settings.iter().filter(|(_, owners)| owners.contains_key(&self.owner));
        own.map(|(setting, _)| setting.clone()).collect()
    }

    /// Whether another owner added this action.
    pub(super) fn added_by_other(&self, action_id: &str) -> bool {
        let mut others = self.before.iter().filter(|(owner, _)| **owner != self.owner);
        others.any(|(_, state)| state.actions.contains_key(action_id))
    }

    /// What has to be on record while the pipeline is updated, and what afterwards.
    pub(super) fn into_states(self) -> (OwnerStates, OwnerStates) {
        let mut after: OwnerStates = self.before.clone();
        after.values_mut().for_each(|state| state.settings.clear());
        after.entry(self.owner.clone()).or_default().actions = self.added;
        for (setting, owners) in self.settings {
            for (owner, replaced) in owners {
                after.entry(owner).or_default().settings.insert(setting.clone(), replaced);
            }
        }
        let mut during = after.clone();
        let (old, new) = (self.before.get(&self.owner), during.entry(self.owner.clone()).or_default());
        for (id, action) in old.iter().flat_map(|old| &old.actions) {
            new.actions.insert(id.clone(), action.clone());
        }
        for (setting, replaced) in old.iter().flat_map(|old| &old.settings) {
            let merged = during_write(Some(replaced), new.settings.get(setting));
            new.settings.extend(merged.map(|merged| (setting.clone(), merged)));
        }
        for states in [&mut during, &mut after] {
            states.retain(|_, state| *state != OwnerState::default());
        }
        (during, after)
    }
}
