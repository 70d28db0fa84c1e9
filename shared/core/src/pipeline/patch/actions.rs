//! Actions that the patch adds, and the stages it adds for them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::error::PatchError;
use super::owner_state::{AddedAction, Setting, action_id};
use super::planning::Planning;
use super::{Desired, NewAction, names};
use crate::owned_setting::correct_original;
use crate::pipeline::Action;

impl Planning<'_> {
    /// Removes what we added and no longer want; actions that others depend on stay and are reported.
    pub(super) fn remove_actions_not_in(&mut self, desired: &Desired) {
        let wanted: BTreeSet<String> =
            desired.actions.iter().map(|new| action_id(&new.stage, new.name())).collect();
        let mut to_remove: BTreeSet<String> =
            self.ownership.added.keys().filter(|id| !wanted.contains(*id)).cloned().collect();
        self.keep_approvals(&mut to_remove);
        // Each action that stays may need another one that was to go.
        while let Some((id, sentence)) = self.still_needed(&to_remove) {
            to_remove.remove(&id);
            self.drifted.push(sentence);
        }
        self.draft.remove_actions(|id| to_remove.contains(id));
        for id in &to_remove {
            let added = self.ownership.added.remove(id);
            // A stage that gets another action of ours stays where it is.
            let goes = |stage: &String| !desired.actions.iter().any(|new| new.stage == *stage);
            if let Some(stage) = added.map(|added| added.stage).filter(goes) {
                self.draft.remove_if_empty(&stage);
            }
        }
    }

    /// Forgets the actions that had to stay: a Delete is the last we hear of them.
    pub(super) fn forget_actions(&mut self) {
        self.ownership.added.clear();
    }

    /// What a human has to approve stays so: whoever wants an approval to go removes it by hand.
    fn keep_approvals(&mut self, to_remove: &mut BTreeSet<String>) {
        let is_approval = |id: &String| self.draft.action(id).filter(is_approval);
        let approvals = to_remove.iter().filter_map(|id| Some((id.clone(), is_approval(id)?)));
        let approvals = approvals.map(|(id, action)| {
            let (stage, name) = (action.stage().name(), action.name());
            (
                id,
                format!(
                    "action `{name}` in stage `{stage}` stays, because it is an approval; remove it by hand"
                ),
            )
        });
        for (id, sentence) in approvals.collect::<Vec<_>>() {
            to_remove.remove(&id);
            self.drifted.push(sentence);
        }
    }

    /// Adds the wanted actions, or brings those that we added before up to date where they are.
    pub(super) fn place_actions(&mut self, desired: &Desired) -> Result<(), PatchError> {
        let placements = placements_of(desired);
        let mut moved_stages = self.lift_moved_stages(&placements);
        for (index, new) in desired.actions.iter().enumerate() {
            let path = format!("Actions[{index}]");
            if self.draft.stage_index(&new.stage).is_none() {
                let stage = moved_stages.remove(&new.stage);
                let stage = stage.unwrap_or_else(|| json!({"name": new.stage, "actions": []}));
                self.draft.insert_stage(self.position_for(new, &path)?, stage);
            }
            let id = action_id(&new.stage, new.name());
            let live = self.draft.action(&id);
            let refusal = match &live {
                Some(_) if !self.ownership.added.contains_key(&id) => {
                    let other = self.ownership.added_by_other(&id);
                    Some(if other { "another stack added" } else { "is not this resource's" })
                }
                Some(live) if is_approval(live) && new.category() != APPROVAL => {
                    Some("is an approval now, and stays one")
                }
                _ => None,
            };
            if let Some(holder) = refusal {
                let (stage, action) = (new.stage.clone(), new.name().to_owned());
                return Err(PatchError::ActionExists { path, stage, action, holder });
            }
            if live.is_none() {
                self.add(new);
            } else {
                self.redeclare(&id, new);
            }
            let after_stage = placements.get(new.stage.as_str()).copied().flatten().map(str::to_owned);
            self.ownership.added.insert(id, AddedAction { stage: new.stage.clone(), after_stage });
        }
        Ok(())
    }

    fn add(&mut self, new: &NewAction) {
        if let Some(stage) = self.draft.stage_index(&new.stage) {
            self.draft.push_action(stage, new.declaration.clone());
        }
    }

    // Brings an action that we added up to date. A role that another owner gave it since stays, and that
    // owner puts back the new declaration's role when it goes.
    fn redeclare(&mut self, id: &str, new: &NewAction) {
        let slot = Setting::Role(id.to_owned());
        let mut target = new.declaration.clone();
        let declared_role = target.get("roleArn").and_then(Value::as_str).map(str::to_owned);
        let owner = self.ownership.owner().to_owned();
        let owners = self.ownership.settings.get_mut(&slot);
        if owners.is_some_and(|owners| correct_original(owners, &owner, declared_role))
            && let Some(fields) = target.as_object_mut()
        {
            match self.draft.read(&slot).flatten() {
                Some(role) => drop(fields.insert("roleArn".into(), role.into())),
                None => drop(fields.shift_remove("roleArn")),
            }
        }
        let own_region = self.draft.pipeline().region();
        let meaning = self.draft.action(id).map(|live| with_explicit_region(live.as_value(), own_region));
        if meaning != Some(with_explicit_region(&target, own_region)) {
            self.draft.replace_action(id, target);
        }
    }

    //// Takes out the stages of this owner alone that the request places elsewhere than the one before it did.
    fn lift_moved_stages(&mut self, placements: &Placements<'_>) -> BTreeMap<String, Value> {
        let mut moved_stages = BTreeMap::new();
        for (&name, &after_stage) in placements {
            let mut added = self.ownership.added.values().filter(|added| added.stage == name);
            let is_moved = added.any(|added| added.after_stage.as_deref() != after_stage);
            if is_moved && self.is_ours(name) {
                let stage = self.draft.stage_index(name).and_then(|index| self.draft.take_stage(index));
                moved_stages.extend(stage.map(|stage| (name.to_owned(), stage)));
            }
        }
        moved_stages
    }

    fn position_for(&self, new: &NewAction, path: &str) -> Result<usize, PatchError> {
        let Some(after) = &new.after_stage else { return Ok(usize::MAX) };
        self.draft.stage_index(after).map(|index| index + 1).ok_or_else(|| {
            let known =
                names::describe_known("stages", after, self.draft.pipeline().stages().map(|it| it.name()));
            let known = format!("{known}; a stage that `Actions` adds must come earlier in the list");
            PatchError::StageNotFound { path: format!("{path}.AfterStage"), stage: after.clone(), known }
        })
    }

    fn is_ours(&self, stage: &str) -> bool {
        self.draft.action_ids(stage).iter().all(|id| self.ownership.added.contains_key(id))
    }

    // The first action to remove that one which stays depends on, with the reason in words.
    fn still_needed(&self, to_remove: &BTreeSet<String>) -> Option<(String, String)> {
        let id_of = |action: &Action<'_>| action_id(action.stage().name(), action.name());
        let actions = self.draft.pipeline().actions();
        let (going, staying): (Vec<_>, Vec<_>) =
            actions.partition(|action| to_remove.contains(&id_of(action)));
        going.iter().find_map(|action| {
            let (user, reason) =
                staying.iter().find_map(|user| Some((user, dependency_between(user, action)?)))?;
            let sentence = format!(
                "action `{}` in stage `{}` stays, because action `{}` in stage `{}` uses {reason}; \
                 remove it by hand when nothing uses it any more",
                action.name(),
                action.stage().name(),
                user.name(),
                user.stage().name(),
            );
            Some((id_of(action), sentence))
        })
    }
}

const APPROVAL: &str = "Approval";

fn is_approval(action: &Action<'_>) -> bool {
    action.category() == APPROVAL
}

/// Where a request puts its stages.
type Placements<'a> = BTreeMap<&'a str, Option<&'a str>>;

/// The first entry for a stage tells.
fn placements_of(request: &Desired) -> Placements<'_> {
    let entries = request.actions.iter().rev();
    entries.map(|new| (new.stage.as_str(), new.after_stage.as_deref())).collect()
}

// What `user` takes from `producer`: UpdatePipeline refuses an artifact or variable that nothing puts out.
fn dependency_between(user: &Action<'_>, producer: &Action<'_>) -> Option<String> {
    if let Some(artifact) =
        producer.output_artifacts().find(|it| user.input_artifacts().any(|name| name == *it))
    {
        return Some(format!("its output artifact `{artifact}`"));
    }
    let namespace = producer.namespace()?;
    let is_used = user.as_value().to_string().contains(&format!("#{{{namespace}."));
    is_used.then(|| format!("its variables `#{{{namespace}.…}}`"))
}

// An action with the defaults left out that GetPipeline fills in.
fn with_explicit_region(action: &Value, own_region: Option<&str>) -> Value {
    let mut action = action.clone();
    if let Some(fields) = action.as_object_mut() {
        fields.retain(|field, value| match value {
            Value::Null => false,
            Value::Array(list) => !list.is_empty(),
            Value::Object(map) => !map.is_empty(),
            Value::Number(order) => field != "runOrder" || order.as_u64() != Some(1),
            Value::String(region) => field != "region" || Some(region.as_str()) != own_region,
            Value::Bool(_) => true,
        });
    }
    action
}
