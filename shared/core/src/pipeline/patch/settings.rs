//! Artifact keys and action roles: values that are set, remembered and put back.

use std::collections::BTreeMap;

use super::editor::PipelineEditor;
use super::error::PatchError;
use super::owner_state::{DEFAULT_STORE, Setting, action_id};
use super::planning::Planning;
use super::{Desired, KeyChoice, names};
use crate::owned_setting::{self, Released};

impl Planning<'_> {
    /// The settings of a request, with their values.
    pub(super) fn settings_of(&self, desired: &Desired) -> Result<BTreeMap<Setting, String>, PatchError> {
        let pipeline = self.draft.pipeline();
        let stores: Vec<&str> = pipeline.stores().map(|it| it.region().unwrap_or(DEFAULT_STORE)).collect();
        if let KeyChoice::All(_) = &desired.encryption_keys
            && stores.is_empty()
        {
            return Err(PatchError::NoStore);
        }
        if let KeyChoice::ByRegion(keys) = &desired.encryption_keys {
            let regions: Vec<&str> =
                pipeline.stores().filter_map(|it| it.region().or(pipeline.region())).collect();
            if let Some(region) = keys.keys().find(|region| !regions.contains(&region.as_str())) {
                let known = names::describe_known("stores", region, regions);
                return Err(PatchError::RegionWithoutStore { region: region.clone(), known });
            }
        }
        let keys = stores.into_iter().map(|store| Setting::Key(store.to_owned()));
        let roles = desired.roles.iter().map(|role| Setting::Role(action_id(&role.stage, &role.action)));
        let value_of = |setting| desired_value(desired, &setting, &self.draft).map(|value| (setting, value));
        Ok(keys.chain(roles).filter_map(value_of).collect())
    }

    /// Refuses roles for actions that the pipeline doesn't have.
    pub(super) fn check_roles(&self, desired: &Desired) -> Result<(), PatchError> {
        let pipeline = self.draft.pipeline();
        for (index, role) in desired.roles.iter().enumerate() {
            let stage = role.stage.clone();
            let Some(found) = pipeline.stages().find(|it| it.name() == stage) else {
                let known = names::describe_known("stages", &stage, pipeline.stages().map(|it| it.name()));
                return Err(PatchError::StageNotFound {
                    path: format!("ActionRoles[{index}].Stage"),
                    stage,
                    known,
                });
            };
            if !found.actions().any(|it| it.name() == role.action) {
                let known =
                    names::describe_known("actions", &role.action, found.actions().map(|it| it.name()));
                let (path, action) = (format!("ActionRoles[{index}].Action"), role.action.clone());
                return Err(PatchError::ActionNotFound { path, stage, action, known });
            }
        }
        Ok(())
    }

    /// Takes back every setting of the owner that is not in `keep`.
    pub(super) fn release_all_but(&mut self, keep: &BTreeMap<Setting, String>) {
        for setting in self.ownership.own_settings() {
            if !keep.contains_key(&setting) {
                self.release(&setting);
            }
        }
    }

    /// Sets a setting; what it held goes on record.
    pub(super) fn take(&mut self, setting: &Setting, value: &str) {
        let Some(live) = self.draft.read(setting) else { return };
        let owner = self.ownership.owner().to_owned();
        let owners = self.ownership.settings.entry(setting.clone()).or_default();
        owned_setting::take_setting(owners, &owner, live, value);
        self.draft.write(setting, Some(value));
    }

    /// Puts back what the setting held, unless somebody else has changed it since.
    fn release(&mut self, setting: &Setting) {
        let owner = self.ownership.owner().to_owned();
        let owners = self.ownership.settings.entry(setting.clone()).or_default();
        let Some(live) = self.draft.read(setting) else {
            owners.remove(&owner);
            return;
        };
        match owned_setting::release_setting(owners, &owner, live.clone()) {
            Released::Unchanged => {}
            Released::PutBack(original) => self.draft.write(setting, original.as_deref()),
            Released::Drifted(original) => {
                let [found, before] = [live, original]
                    .map(|value| value.map_or_else(|| "nothing".to_owned(), |value| format!("`{value}`")));
                self.drifted.push(format!(
                    "{} was changed by somebody else to {found} and stays; before our change it was {before}",
                    self.draft.describe(setting)
                ));
            }
        }
    }
}

/// The value that a request gives to a setting.
fn desired_value(desired: &Desired, setting: &Setting, draft: &PipelineEditor) -> Option<String> {
    match (setting, &desired.encryption_keys) {
        (Setting::Key(_), KeyChoice::None) => None,
        (Setting::Key(_), KeyChoice::All(key)) => Some(key.clone()),
        (Setting::Key(store), KeyChoice::ByRegion(keys)) => {
            let own = draft.pipeline().region();
            let region = if store == DEFAULT_STORE { own } else { Some(store.as_str()) };
            region.and_then(|region| keys.get(region)).cloned()
        }
        (Setting::Role(id), _) => {
            let role = desired.roles.iter().find(|role| action_id(&role.stage, &role.action) == *id);
            role.map(|role| role.role_arn.clone())
        }
    }
}
