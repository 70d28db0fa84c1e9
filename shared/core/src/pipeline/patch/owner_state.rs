use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};

use super::tags::{self, Tags};
use crate::owner::Owner;

/// First part of the key of every tag that a patch writes.
const PREFIX: &str = "crosspipe";

/// What one owner's patch replaced or added, as the pipeline's tags remember it.
///
/// | tag | value |
/// |---|---|
/// | `crosspipe:OWNER:key:REGION` (`default`: `artifactStore`) | the key id that was there, or `none` |
/// | `crosspipe:OWNER:role:HASH` | the action's role that was there, or `none` |
/// | `crosspipe:OWNER:action:HASH` | `Stage/Action` that was added |
///
/// `HASH` stands for stage and action. Characters that a tag can't hold are written as `@` and two hex
/// digits. A key that is not of type `KMS` is followed by a blank and its type. Values longer than 256
/// characters go on in `…:1`, `…:2`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnerState {
    /// What the slots held before.
    pub(super) slots: BTreeMap<Setting, Remembered>,
    /// Stage and name of the actions added, by [`action_id`].
    pub(super) actions: BTreeMap<String, (String, String)>,
    /// Keys of tags that can't be read.
    pub(super) damaged: Vec<String>,
}

impl OwnerState {
    /// Reads one owner's memory from all tags of a pipeline.
    pub fn from_tags(tags: &BTreeMap<String, String>, owner: &Owner) -> Self {
        Self::of_owner(tags, &owner.short())
    }

    /// Whether there is nothing to take back.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty() && self.actions.is_empty() && self.damaged.is_empty()
    }

    pub(super) fn of_owner(tags: &Tags, owner: &str) -> Self {
        let mut memory = Self::default();
        for key in tags.keys().filter(|key| owner_of(key) == Some(owner)) {
            match key.split(':').skip(2).collect::<Vec<_>>().as_slice() {
                [kind, id] if memory.read(tags, key, kind, id).is_some() => {}
                [_, _, _part] => {}
                _ => memory.damaged.push(key.clone()),
            }
        }
        memory
    }

    fn read(&mut self, tags: &Tags, key: &str, kind: &str, id: &str) -> Option<()> {
        let (text, rank) = tags::join(tags, key)?;
        let slot = match kind {
            "key" => Setting::Key(id.to_owned()),
            "role" => Setting::Role(id.to_owned()),
            "action" => {
                let (stage, action) = text.split_once('/')?;
                let names = (tags::unescape(stage)??, tags::unescape(action)??);
                self.actions.insert(id.to_owned(), names);
                return Some(());
            }
            _ => return None,
        };
        self.slots.insert(slot, Remembered { previous: tags::unescape(&text)?, rank });
        Some(())
    }

    pub(super) fn to_tags(&self, owner: &str) -> Tags {
        let slots = self.slots.iter().flat_map(|(slot, remembered)| remembered.to_tags(owner, slot));
        let actions = self.actions.iter().flat_map(|(id, (stage, action))| {
            tags::split(&format!("{PREFIX}:{owner}:action:{id}"), &action_text(stage, action), 0)
        });
        slots.chain(actions).collect()
    }
}

/// A place in the pipeline that holds one value, which several owners may want to set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Setting {
    /// `encryptionKey` of the store of a Region, or of [`DEFAULT_STORE`].
    Key(String),
    /// `roleArn` of the action with this [`action_id`].
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

/// What an owner found in a slot when it first set it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remembered {
    pub(super) previous: Option<String>,
    /// Higher than that of every owner that had set the slot before.
    pub(super) rank: u32,
}

impl Remembered {
    pub(super) fn to_tags(&self, owner: &str, slot: &Setting) -> Tags {
        tags::split(&format!("{PREFIX}:{owner}:{slot}"), &tags::escape(self.previous.as_deref()), self.rank)
    }
}

/// The owner in the key of a tag that a patch wrote.
pub(super) fn owner_of(key: &str) -> Option<&str> {
    let (owner, _) = key.strip_prefix(PREFIX)?.strip_prefix(':')?.split_once(':')?;
    Some(owner)
}

/// 12 hex digits for a stage's action: names can be longer than a tag's key.
pub(super) fn action_id(stage: &str, action: &str) -> String {
    let digest = Sha256::digest(action_text(stage, action).as_bytes());
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

fn action_text(stage: &str, action: &str) -> String {
    let [stage, action] = [stage, action].map(|name| tags::escape(Some(name)).replace('/', "@2f"));
    format!("{stage}/{action}")
}
