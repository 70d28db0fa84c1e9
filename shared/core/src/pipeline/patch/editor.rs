use serde_json::{Map, Value, json};

use super::owner_state::{DEFAULT_STORE, Setting, action_id};
use crate::pipeline::{Action, Pipeline};

/// The pipeline as it is going to be: the only place that edits its JSON.
pub(super) struct PipelineEditor {
    pipeline: Pipeline,
}

impl PipelineEditor {
    pub(super) fn new(current: &Pipeline) -> Self {
        Self { pipeline: current.clone() }
    }

    pub(super) fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// The value in a slot; outer `None` if the pipeline has no such slot.
    pub(super) fn read(&self, slot: &Setting) -> Option<Option<String>> {
        let target = self.pipeline.as_value().pointer(&self.locate(slot)?)?;
        Some(match slot {
            Setting::Key(_) => target.get("encryptionKey").filter(|key| key.is_object()).map(pack_key),
            Setting::Role(_) => optional_text(target, "roleArn").map(str::to_owned),
        })
    }

    /// Sets or clears a slot. Other fields of an `encryptionKey` stay.
    pub(super) fn write(&mut self, slot: &Setting, value: Option<&str>) {
        let Some(path) = self.locate(slot) else { return };
        let target = self.pipeline.declaration_mut().pointer_mut(&path);
        let Some(target) = target.and_then(Value::as_object_mut) else { return };
        match (slot, value) {
            (Setting::Key(_), Some(packed)) => {
                let key = target.entry("encryptionKey").or_insert_with(|| json!({}));
                if !key.is_object() {
                    *key = json!({});
                }
                if let Some(key) = key.as_object_mut() {
                    unpack_key(packed, key);
                }
            }
            (Setting::Role(_), Some(role)) => {
                target.insert("roleArn".into(), role.into());
            }
            (Setting::Key(_), None) => drop(target.shift_remove("encryptionKey")),
            (Setting::Role(_), None) => drop(target.shift_remove("roleArn")),
        }
    }

    /// A slot in words for messages.
    pub(super) fn describe(&self, slot: &Setting) -> String {
        match slot {
            Setting::Key(store) if store == DEFAULT_STORE => "the encryption key of `artifactStore`".into(),
            Setting::Key(region) => format!("the encryption key of `artifactStores.{region}`"),
            Setting::Role(id) => match self.action(id) {
                Some(action) => {
                    format!("the role of action `{}` in stage `{}`", action.name(), action.stage().name())
                }
                None => "the role of an action".into(),
            },
        }
    }

    pub(super) fn action(&self, id: &str) -> Option<Action<'_>> {
        self.pipeline.actions().find(|action| action_id(action.stage().name(), action.name()) == id)
    }

    pub(super) fn stage_index(&self, name: &str) -> Option<usize> {
        self.pipeline.stages().position(|stage| stage.name() == name)
    }

    /// The ids of a stage's actions.
    pub(super) fn action_ids(&self, stage: &str) -> Vec<String> {
        let actions = self.pipeline.actions().filter(|action| action.stage().name() == stage);
        actions.map(|action| action_id(stage, action.name())).collect()
    }

    /// Replaces an action that is there.
    pub(super) fn replace_action(&mut self, id: &str, declaration: Value) {
        let Some(path) = self.locate(&Setting::Role(id.to_owned())) else { return };
        if let Some(action) = self.pipeline.declaration_mut().pointer_mut(&path) {
            *action = declaration;
        }
    }

    /// Appends an action to a stage that is there.
    pub(super) fn push_action(&mut self, stage: usize, declaration: Value) {
        let actions = self.stages_mut().and_then(|stages| stages.get_mut(stage)?.get_mut("actions"));
        if let Some(actions) = actions.and_then(Value::as_array_mut) {
            actions.push(declaration);
        }
    }

    /// Removes actions; their stages stay, even empty.
    pub(super) fn remove_actions(&mut self, to_remove: impl Fn(&str) -> bool) {
        for stage in self.stages_mut().into_iter().flatten() {
            let name = optional_text(stage, "name").unwrap_or_default().to_owned();
            if let Some(actions) = stage.get_mut("actions").and_then(Value::as_array_mut) {
                let id = |action: &Value| optional_text(action, "name").map(|it| action_id(&name, it));
                actions.retain(|action| !id(action).is_some_and(|id| to_remove(&id)));
            }
        }
    }

    /// Removes a stage that has no action left: CodePipeline refuses empty stages.
    pub(super) fn remove_if_empty(&mut self, stage: &str) {
        if self.action_ids(stage).is_empty()
            && let Some(index) = self.stage_index(stage)
        {
            self.take_stage(index);
        }
    }

    pub(super) fn take_stage(&mut self, index: usize) -> Option<Value> {
        self.stages_mut().filter(|stages| index < stages.len()).map(|stages| stages.remove(index))
    }

    /// Inserts a stage at a position, at most the end.
    pub(super) fn insert_stage(&mut self, index: usize, stage: Value) {
        if let Some(stages) = self.stages_mut() {
            stages.insert(index.min(stages.len()), stage);
        }
    }

    pub(super) fn into_value(self) -> Value {
        self.pipeline.into_value()
    }

    fn stages_mut(&mut self) -> Option<&mut Vec<Value>> {
        self.pipeline.declaration_mut().get_mut("stages")?.as_array_mut()
    }

    // JSON pointer of the store or action that a slot is in. A pipeline may have been turned from
    // `artifactStore` to `artifactStores` or back since the slot was set: the own Region's store is the same.
    fn locate(&self, slot: &Setting) -> Option<String> {
        let own = self.pipeline.region();
        match slot {
            Setting::Key(name) => {
                let region = (name != DEFAULT_STORE).then_some(name.as_str());
                let exact = self.pipeline.stores().find(|store| store.region() == region);
                let other = if region.is_none() { own } else { None };
                let moved = || {
                    let same = region.is_none() || region == own;
                    self.pipeline.stores().find(|store| same && store.region() == other)
                };
                let store = exact.or_else(moved)?;
                Some(store.region().map_or_else(
                    || "/artifactStore".into(),
                    |region| format!("/artifactStores/{}", region.replace('~', "~0").replace('/', "~1")),
                ))
            }
            Setting::Role(id) => {
                let action = self.action(id)?;
                Some(format!("/stages/{}/actions/{}", action.stage().index(), action.index()))
            }
        }
    }
}

const KMS: &str = "KMS";

// An encryption key as one text: its id, and its type if that isn't the only one there is today.
fn pack_key(key: &Value) -> String {
    let id = optional_text(key, "id").unwrap_or_default();
    match optional_text(key, "type") {
        Some(KMS) if !id.contains(' ') => id.to_owned(),
        other => format!("{id} {}", other.unwrap_or_default()),
    }
}

fn unpack_key(packed: &str, key: &mut Map<String, Value>) {
    let (id, kind) = packed.rsplit_once(' ').unwrap_or((packed, KMS));
    key.insert("id".into(), id.into());
    if kind.is_empty() {
        key.shift_remove("type");
    } else {
        key.insert("type".into(), kind.into());
    }
}

fn optional_text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_encryption_key_survives_packing() {
        for key in [
            json!({"id": "alias/a", "type": "KMS"}),
            json!({"id": "a", "type": "HSM"}),
            json!({"id": "a"}),
            json!({"id": "a b", "type": "KMS"}),
        ] {
            let mut unpacked = json!({"id": "ours", "type": "KMS"});
            unpack_key(&pack_key(&key), unpacked.as_object_mut().unwrap());
            assert_eq!(unpacked, key);
        }
    }
}
