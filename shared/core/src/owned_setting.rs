//! A setting that several owners may want to set: an artifact store's key, an action's role, a build project's key.
//!
//! Each owner records what the setting held when it came, and how many owners came before it (its rank). An owner
//! that leaves from the middle hands what it recorded to the next one and leaves the live value; only the last one
//! puts the original back. An owner that asks for another value than the live one takes the setting over.
//!
//! A value is put back only in place of one that the record says was set: what somebody else has set since stays.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What one owner replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// The value that was there; none where nothing was set.
    pub previous: Option<String>,
    /// Higher than that of every owner that had set the setting before.
    pub rank: u32,
    /// The value that the owner has set. Two while a write is under way: the one before and the one after it.
    pub set: BTreeSet<String>,
}

/// What each owner of one setting replaced, by [`Owner::short`](crate::owner::Owner::short).
pub type Owners = BTreeMap<String, Replaced>;

/// What an owner that leaves means for the live value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Released {
    /// It stays.
    Unchanged,
    /// This is put back; none clears the setting.
    PutBack(Option<String>),
    /// It stays, because somebody else has set it since. The value that was there before the owner came.
    Drifted(Option<String>),
}

/// Makes `owner` the last one that has set `value`, where the setting now holds `live`.
pub fn take_setting(owners: &mut Owners, owner: &str, live: Option<String>, value: &str) {
    let is_value = |held: Option<&str>| held == Some(value);
    let above = next_owner(owners, owner).and_then(|it| owners.get(&it));
    let holds = is_value(live.as_deref()) && above.is_none_or(|it| is_value(it.previous.as_deref()));
    if let Some(mine) = owners.get_mut(owner).filter(|_| holds) {
        mine.set = BTreeSet::from([value.to_owned()]);
        return;
    }
    // What somebody else put there since is about to be replaced and recorded, so it is not reported.
    let previous = match release_setting(owners, owner, live.clone()) {
        Released::PutBack(original) => original,
        Released::Unchanged | Released::Drifted(_) => live,
    };
    let rank = owners.values().map(|it| it.rank.saturating_add(1)).max().unwrap_or(0);
    let set = BTreeSet::from([value.to_owned()]);
    owners.insert(owner.to_owned(), Replaced { previous, rank, set });
}

/// Lets `owner` leave, where the setting now holds `live`.
pub fn release_setting(owners: &mut Owners, owner: &str, live: Option<String>) -> Released {
    let next = next_owner(owners, owner);
    let Some(mine) = owners.remove(owner) else { return Released::Unchanged };
    let next = next.and_then(|it| owners.get_mut(&it));
    let found = next.as_ref().map_or(live, |it| it.previous.clone());
    if found == mine.previous {
        return Released::Unchanged;
    }
    match (found.is_some_and(|it| mine.set.contains(&it)), next) {
        (false, _) => Released::Drifted(mine.previous),
        (true, None) => Released::PutBack(mine.previous),
        (true, Some(next)) => {
            next.previous = mine.previous;
            Released::Unchanged
        }
    }
}

/// Corrects what the first owner but `owner` takes for the original value; `false` if there is no other one.
pub fn correct_original(owners: &mut Owners, owner: &str, original: Option<String>) -> bool {
    let others = owners.iter_mut().filter(|(it, _)| *it != owner);
    let first = others.min_by_key(|(it, replaced)| (replaced.rank, (*it).clone()));
    first.map(|(_, replaced)| replaced.previous = original).is_some()
}

/// What has to be on record of an owner while a write is under way that leads from `before` to `after`. Whether the
/// write was done or not, a later request then knows what to put back.
pub fn during_write(before: Option<&Replaced>, after: Option<&Replaced>) -> Option<Replaced> {
    match (before, after) {
        (Some(before), Some(after)) => {
            let set = before.set.union(&after.set).cloned().collect();
            Some(Replaced { set, ..after.clone() })
        }
        (before, after) => before.or(after).cloned(),
    }
}

/// The owner that came right after this one.
fn next_owner(owners: &Owners, owner: &str) -> Option<String> {
    let after = (owners.get(owner)?.rank, owner);
    let places = owners.iter().map(|(it, replaced)| (replaced.rank, it.as_str()));
    places.filter(|place| *place > after).min().map(|(_, it)| it.to_owned())
}
