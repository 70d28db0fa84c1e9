//! What the rules say, marked on the access path: findings, and what they leave open.

use std::collections::BTreeSet;

use crosspipe_core::arn::{account_of, bucket_of};
use crosspipe_core::evaluation::Side;
use crosspipe_core::rules::{Facts, Finding, Severity, Unknown};

use super::{AccessPath, Kind, Picture, State};
use crate::source_location::steps;

impl AccessPath {
    pub(super) fn mark_findings(&mut self, facts: &Facts<'_>, findings: &[&Finding]) {
        for (number, finding) in findings.iter().enumerate() {
            let state = match finding.severity {
                Severity::Error => State::Broken,
                Severity::Warning => State::Warned,
            };
            let mut is_placed = false;
            for denied in &finding.denied {
                let Some(edge) = self.edge_of_request(&denied.principal, &denied.resource) else { continue };
                if let Some(edge) = self.edges.get_mut(edge) {
                    edge.denied.insert(denied.action.clone());
                    edge.state = edge.state.max(state);
                    if edge.findings.last() != Some(&number) {
                        edge.findings.push(number);
                    }
                    is_placed = true;
                }
            }
            if is_placed {
                continue;
            }
            if let Some(node) = self.node_at(facts, &finding.location).and_then(|it| self.nodes.get_mut(it)) {
                node.state = node.state.max(state);
                node.findings.push(number);
            }
        }
    }

    /// Where the policy of a bucket or key refuses one role of an account, the rules say no more about that account's
    /// other roles: nothing is promised of them.
    pub(super) fn mark_behind_same_policy(&mut self, findings: &[&Finding]) {
        let denied = findings.iter().flat_map(|finding| &finding.denied);
        let refused: BTreeSet<(String, usize)> = denied
            .filter(|denied| denied.side == Side::Resource)
            .filter_map(|denied| {
                let resource = denied.bucket().unwrap_or(&denied.resource);
                Some((account_of(&denied.principal)?.to_owned(), *self.positions.get(resource)?))
            })
            .collect();
        for edge in &mut self.edges {
            let account = self.nodes.get(edge.from).map(|node| node.account.clone()).unwrap_or_default();
            if edge.state == State::NoFault && refused.contains(&(account, edge.to)) {
                edge.state = State::Unknown;
            }
        }
    }

    /// The edge of a request; a role that is not drawn yet is added to the pictures of its account.
    fn edge_of_request(&mut self, principal: &str, resource: &str) -> Option<usize> {
        let to = *self.positions.get(bucket_of(resource).unwrap_or(resource))?;
        let from = match self.positions.get(principal) {
            Some(from) => *from,
            None if principal.contains(":role/") => {
                self.node(Kind::OtherRole, principal, "works for an action")
            }
            None => return None,
        };
        if let Some(edge) = self.edge_positions.get(&(from, to)) {
            return Some(*edge);
        }
        let account = account_of(principal).unwrap_or_default().to_owned();
        let picture = self.pictures.iter().position(|it| it.account == account).unwrap_or(0);
        let purpose = match self.nodes.get(to).map(|node| node.kind) {
            Some(Kind::Bucket) => "artifacts",
            Some(Kind::Key) => "key",
            _ => "uses",
        };
        Some(self.connect(from, to, purpose, picture))
    }

    /// The node that a finding's location is about.
    fn node_at(&self, facts: &Facts<'_>, location: &str) -> Option<usize> {
        let steps = steps(location);
        let step = |number: usize| steps.get(number).map(String::as_str);
        let id = match step(0)? {
            "keys" | "buckets" | "roles" => step(1)?.to_owned(),
            "roleArn" => facts.pipeline().role_arn().to_owned(),
            "artifactStore" | "artifactStores" => {
                let region = step(1).filter(|_| step(0) == Some("artifactStores"));
                let store = facts.pipeline().stores().find(|store| store.region() == region)?;
                let is_of_key = steps.iter().any(|step| step == "encryptionKey");
                let key = store.key_id().filter(|id| is_of_key && self.positions.contains_key(*id));
                key.unwrap_or(store.bucket()).to_owned()
            }
            "stages" => {
                let (stage, action) = (step(1)?.parse().ok()?, step(3)?.parse().ok()?);
                let stage = facts.pipeline().stages().nth(stage)?;
                stage.actions().nth(action)?.role_arn()?.to_owned()
            }
            "buildProjects" => {
                facts.snapshot().build_projects.get(step(1)?)?.known()?.service_role.known()?.clone()
            }
            _ => return None,
        };
        self.positions.get(&id).copied()
    }

    /// An unknown policy of a resource leaves open who may reach it, one of a role what it may reach.
    pub(super) fn mark_unknown(&mut self, unknown: &[Unknown]) {
        let mut from = BTreeSet::new();
        let mut to = BTreeSet::new();
        for unknown in unknown {
            let steps = steps(&unknown.missing);
            let step = |number: usize| steps.get(number).map(String::as_str);
            let Some(node) = step(1).and_then(|id| self.positions.get(id)).copied() else { continue };
            match (step(0), step(2)) {
                (Some("roles"), Some("trustPolicy")) => drop(to.insert(node)),
                (Some("roles"), Some(_)) => drop(from.insert(node)),
                (Some("roles"), None) => {
                    from.insert(node);
                    to.insert(node);
                }
                (Some("keys" | "buckets"), _) => drop(to.insert(node)),
                _ => {}
            }
            if let Some(node) = self.nodes.get_mut(node) {
                node.state = node.state.max(State::Unknown);
            }
        }
        for edge in &mut self.edges {
            if from.contains(&edge.from) || to.contains(&edge.to) {
                edge.state = edge.state.max(State::Unknown);
            }
        }
    }

    /// What the worst node or edge of a picture says.
    pub(in crate::page) fn state_of(&self, picture: &Picture) -> State {
        let edges = picture.edges.iter().filter_map(|edge| self.edges.get(*edge)).map(|edge| edge.state);
        let nodes = picture.nodes.iter().filter_map(|node| self.nodes.get(*node)).map(|node| node.state);
        edges.chain(nodes).max().unwrap_or(State::NoFault)
    }
}
