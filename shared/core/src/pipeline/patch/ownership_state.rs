use std::collections::{BTreeMap, BTreeSet};

use super::owner_state::{OwnerState, Remembered, Setting, owner_of};
use super::tags::Tags;

/// What every owner remembers, and what one of them changes about it.
pub(super) struct OwnershipState {
    owner: String,
    pub(super) mine: OwnerState,
    others: BTreeMap<String, OwnerState>,
    changed: BTreeSet<(String, Setting)>,
}

impl OwnershipState {
    pub(super) fn new(tags: &Tags, owner: String) -> Self {
        let owners: BTreeSet<&str> = tags.keys().filter_map(|key| owner_of(key)).collect();
        let mut others: BTreeMap<String, OwnerState> =
            owners.into_iter().map(|owner| (owner.to_owned(), OwnerState::of_owner(tags, owner))).collect();
        let mine = others.remove(&owner).unwrap_or_default();
        Self { owner, mine, others, changed: BTreeSet::new() }
    }

    /// Whether another owner added this action.
    pub(super) fn added_by_other(&self, action_id: &str) -> bool {
        self.others.values().any(|memory| memory.actions.contains_key(action_id))
    }

    /// The rank of an owner that sets the slot now.
    pub(super) fn next_rank(&self, slot: &Setting) -> u32 {
        self.on_slot(slot).last().map_or(0, |(rank, _)| rank.saturating_add(1))
    }

    /// What the owner that came right after us found in the slot.
    pub(super) fn above(&self, slot: &Setting, mine: &Remembered) -> Option<(String, Remembered)> {
        let after = (mine.rank, self.owner.as_str());
        let (_, other) = self.on_slot(slot).into_iter().find(|place| *place > after)?;
        Some((other.to_owned(), self.others.get(other)?.slots.get(slot)?.clone()))
    }

    /// Corrects what the first of the other owners takes for the original value; `false` if there is none.
    pub(super) fn rewrite_original(&mut self, slot: &Setting, original: Option<String>) -> bool {
        let Some((_, first)) = self.on_slot(slot).into_iter().next() else { return false };
        let first = first.to_owned();
        self.rewrite(&first, slot, original);
        true
    }

    /// Corrects what another owner takes for the value before its own.
    pub(super) fn rewrite(&mut self, other: &str, slot: &Setting, previous: Option<String>) {
        let found = self.others.get_mut(other).and_then(|memory| memory.slots.get_mut(slot));
        if let Some(remembered) = found.filter(|remembered| remembered.previous != previous) {
            remembered.previous = previous;
            self.changed.insert((other.to_owned(), slot.clone()));
        }
    }

    /// The tags to set and the keys to remove to get from `tags` to this ledger.
    pub(super) fn difference(&self, tags: &Tags) -> (Tags, Vec<String>) {
        let wanted = self.mine.to_tags(&self.owner);
        let ours = tags.keys().filter(|key| owner_of(key) == Some(&self.owner));
        let remove = ours.filter(|key| !wanted.contains_key(*key)).cloned().collect();
        let rewritten = self
            .changed
            .iter()
            .filter_map(|(other, slot)| Some(self.others.get(other)?.slots.get(slot)?.to_tags(other, slot)));
        let mut add: Tags = rewritten.flatten().chain(wanted).collect();
        add.retain(|key, value| tags.get(key) != Some(value));
        (add, remove)
    }

    // The other owners on a slot, in the order in which they came.
    fn on_slot(&self, slot: &Setting) -> Vec<(u32, &str)> {
        let others = self.others.iter();
        let mut places: Vec<_> = others
            .filter_map(|(owner, memory)| Some((memory.slots.get(slot)?.rank, owner.as_str())))
            .collect();
        places.sort_unstable();
        places
    }
}
