//! Grant and revoke: the statements of one owner are brought to what is desired, in a document where
//! all others keep their content and order.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::document::PolicyDocument;
use super::meaning;

/// The statements that one owner keeps in one document.
///
/// `sids` are all that this owner may ever have written there, `desired` the statements it wants now,
/// each under one of those Sids. Nothing desired is a revoke.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnedStatements {
    sids: BTreeSet<String>,
    desired: Vec<Map<String, Value>>,
}

impl OwnedStatements {
    /// Pairs each purpose's Sid with the statement desired for it, or with nothing. The Sid is put in
    /// front of the statement.
    pub fn new(by_sid: impl IntoIterator<Item = (String, Option<Map<String, Value>>)>) -> Self {
        let mut owned = OwnedStatements { sids: BTreeSet::new(), desired: Vec::new() };
        for (sid, statement) in by_sid {
            if let Some(statement) = statement {
                let mut with_sid = Map::from_iter([("Sid".to_owned(), Value::String(sid.clone()))]);
                with_sid.extend(statement.into_iter().filter(|(name, _)| name != "Sid"));
                owned.desired.push(with_sid);
            }
            owned.sids.insert(sid);
        }
        owned
    }

    /// The same owner, wanting nothing.
    pub fn none_desired(&self) -> Self {
        OwnedStatements { sids: self.sids.clone(), desired: Vec::new() }
    }

    /// The Sids of the statements that are desired.
    pub fn desired_sids(&self) -> Vec<&str> {
        self.desired.iter().filter_map(|statement| statement.get("Sid").and_then(Value::as_str)).collect()
    }

    /// Whether the document shows exactly what is desired under the owner's Sids: how a write is
    /// verified, whatever AWS made of the text.
    pub fn are_in(&self, document: &PolicyDocument) -> bool {
        self.applied_to(document).is_none()
    }

    /// What has to be done to the live document (None: there is none) to get what is desired.
    pub fn plan(&self, current: Option<&PolicyDocument>) -> Change {
        let Some(current) = current else {
            let created = self.applied_to(&PolicyDocument::empty());
            return created.map_or(Change::None, Change::Put);
        };
        match self.applied_to(current) {
            None => Change::None,
            Some(changed) if changed.statements().next().is_none() => Change::Delete,
            Some(changed) => Change::Put(changed),
        }
    }

    /// The document with the desired statements in place, or None when it shows them already.
    ///
    /// A statement whose meaning is right stays as AWS wrote it; one that differs is replaced where it
    /// stands; new ones follow at the end, so that foreign statements keep their order.
    fn applied_to(&self, document: &PolicyDocument) -> Option<PolicyDocument> {
        let mut missing: Vec<&Map<String, Value>> = self.desired.iter().collect();
        let mut changed = false;
        let mut statements: Vec<Value> = Vec::new();
        for statement in document.statements() {
            let raw = statement.raw();
            if !statement.sid().is_some_and(|sid| self.sids.contains(sid)) {
                statements.push(Value::Object(raw.clone()));
                continue;
            }
            match missing.iter().position(|desired| desired.get("Sid") == raw.get("Sid")) {
                Some(at) => {
                    let desired = missing.remove(at);
                    let right = meaning::same_statement(desired, raw);
                    changed |= !right;
                    statements.push(Value::Object(if right { raw } else { desired }.clone()));
                }
                None => changed = true,
            }
        }
        changed |= !missing.is_empty();
        statements.extend(missing.into_iter().cloned().map(Value::Object));
        changed.then(|| document.with_statements(statements))
    }
}

/// What a plan asks to be written.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Everything is as desired: no write is sent.
    None,
    /// This document replaces the live one.
    Put(PolicyDocument),
    /// No statement is left: the policy itself goes, since AWS refuses an empty one.
    Delete,
}
