//! Artifact keys and action roles: values that are set, remembered and put back.

use std::collections::BTreeMap;

use super::editor::PipelineEditor;
use super::error::PatchError;
use super::owner_state::{DEFAULT_STORE, Remembered, Setting, action_id};
use super::planning::Planning;
use super::{Desired, KeyChoice, names};

impl Planning<'_> {
    /// The slots that a request sets, with their values.
    pub(super) fn slots_of(&self, desired: &Desired) -> Result<BTreeMap<Setting, String>, PatchError> {
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
                let known = names::known("stores", region, regions);
                return Err(PatchError::RegionWithoutStore { region: region.clone(), known });
            }
        }
        let keys = stores.into_iter().map(|store| Setting::Key(store.to_owned()));
        let roles = desired.roles.iter().map(|role| Setting::Role(action_id(&role.stage, &role.action)));
        let slots = keys.chain(roles);
        Ok(slots.filter_map(|slot| wanted(desired, &slot, &self.draft).map(|value| (slot, value))).collect())
    }

    /// Refuses roles for actions that the pipeline doesn't have.
    pub(super) fn check_roles(&self, desired: &Desired) -> Result<(), PatchError> {
        let pipeline = self.draft.pipeline();
        for (index, role) in desired.roles.iter().enumerate() {
            let stage = role.stage.clone();
            let Some(found) = pipeline.stages().find(|it| it.name() == stage) else {
                let known = names::known("stages", &stage, pipeline.stages().map(|it| it.name()));
                return Err(PatchError::StageNotFound {
                    path: format!("ActionRoles[{index}].Stage"),
                    stage,
                    known,
                });
            };
            if !found.actions().any(|it| it.name() == role.action) {
                let known = names::known("actions", &role.action, found.actions().map(|it| it.name()));
                let (path, action) = (format!("ActionRoles[{index}].Action"), role.action.clone());
                return Err(PatchError::ActionNotFound { path, stage, action, known });
            }
        }
        Ok(())
    }

    /// Takes back every slot that is ours and not in `keep`.
    pub(super) fn release_all_but(&mut self, keep: &BTreeMap<Setting, String>) {
        let ours = self.ledger.mine.slots.keys();
        let unwanted: Vec<Setting> = ours.filter(|slot| !keep.contains_key(slot)).cloned().collect();
        for slot in unwanted {
            if let Some(sentence) = self.release(&slot) {
                self.drifted.push(sentence);
            }
        }
    }

    /// Sets a slot and remembers what it held.
    pub(super) fn take(&mut self, slot: &Setting, value: &str) {
        if self.holds(slot, value) {
            return;
        }
        // What somebody else put there since is about to be replaced and remembered, so not reported.
        self.release(slot);
        let Some(previous) = self.draft.read(slot) else { return };
        let rank = self.ledger.next_rank(slot);
        self.ledger.mine.slots.insert(slot.clone(), Remembered { previous, rank });
        self.draft.write(slot, Some(value));
    }

    // Whether the value is there, ours, and what any later owner found: then a repeated request is no change.
    fn holds(&self, slot: &Setting, value: &str) -> bool {
        let Some(mine) = self.ledger.mine.slots.get(slot) else { return false };
        let is_value = |held: Option<String>| held.as_deref() == Some(value);
        self.draft.read(slot).is_some_and(is_value)
            && self.ledger.above(slot, mine).is_none_or(|(_, above)| is_value(above.previous))
    }

    // Forgets a slot, putting back what it held; a sentence if somebody else has changed it since.
    fn release(&mut self, slot: &Setting) -> Option<String> {
        let mine = self.ledger.mine.slots.remove(slot)?;
        let live = self.draft.read(slot)?;
        let above = self.ledger.above(slot, &mine);
        let found = above.as_ref().map_or(&live, |(_, remembered)| &remembered.previous);
        let sought = found.as_deref();
        if sought == mine.previous.as_deref() {
            return None;
        }
        let ours = |desired: &&Desired| wanted(desired, slot, &self.draft).as_deref() == sought;
        if sought.is_some() && self.set_by_us.iter().any(ours) {
            match above {
                Some((other, _)) => self.ledger.rewrite(&other, slot, mine.previous),
                None => self.draft.write(slot, mine.previous.as_deref()),
            }
            return None;
        }
        let [found, before] = [sought, mine.previous.as_deref()]
            .map(|value| value.map_or_else(|| "nothing".into(), |value| format!("`{value}`")));
        Some(format!(
            "{} was changed by somebody else to {found} and stays; before our change it was {before}",
            self.draft.describe(slot)
        ))
    }
}

// The value that a request gives to a slot.
fn wanted(desired: &Desired, slot: &Setting, draft: &PipelineEditor) -> Option<String> {
    match (slot, &desired.encryption_keys) {
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
