//! The policies behind the boxes and arrows of an access path.

use std::collections::BTreeMap;

use crosspipe_core::policy::PolicyDocument;
use crosspipe_core::snapshot::{Fact, RoleFacts, Snapshot};
use maud::{Markup, html};

use super::access_path::{Kind, Node};
use super::body::code_block;

/// The policies of a node, each with its name; what is not known or absent is said instead.
pub(super) fn policies_of(node: &Node, snapshot: &Snapshot) -> Vec<(String, Fact<PolicyDocument>)> {
    let one = |name: &str, policy: Fact<&PolicyDocument>| (name.to_owned(), cloned(&policy));
    match node.kind {
        Kind::Bucket => {
            let bucket = snapshot.buckets.get(&node.id).map_or(Fact::Unknown, Fact::as_ref);
            vec![one("Bucket policy", bucket.part(|it| &it.policy))]
        }
        Kind::Key => {
            let key = snapshot.keys.get(&node.id).map_or(Fact::Unknown, Fact::as_ref);
            vec![one("Key policy", key.part(|it| &it.policy))]
        }
        _ => {
            let role = snapshot.roles.get(&node.id).map_or(Fact::Unknown, Fact::as_ref);
            of_role(&role)
        }
    }
}

fn of_role(role: &Fact<&RoleFacts>) -> Vec<(String, Fact<PolicyDocument>)> {
    let mut policies = vec![("Trust policy".to_owned(), cloned(&role.part(|it| &it.trust_policy)))];
    let sets: [(&str, Fact<&BTreeMap<String, PolicyDocument>>); 2] = [
        ("Inline policy", role.part(|it| &it.inline_policies)),
        ("Attached policy", role.part(|it| &it.attached_policies)),
    ];
    for (what, set) in sets {
        match set {
            Fact::Known(set) => policies.extend(
                set.iter().map(|(name, policy)| (format!("{what} {name}"), Fact::Known(policy.clone()))),
            ),
            Fact::Absent => {}
            Fact::Unknown => policies.push((what.to_owned(), Fact::Unknown)),
        }
    }
    if let boundary @ (Fact::Known(_) | Fact::Unknown) = role.part(|it| &it.permissions_boundary) {
        policies.push(("Permissions boundary".to_owned(), cloned(&boundary)));
    }
    policies
}

fn cloned(policy: &Fact<&PolicyDocument>) -> Fact<PolicyDocument> {
    match policy {
        Fact::Known(policy) => Fact::Known((*policy).clone()),
        Fact::Absent => Fact::Absent,
        Fact::Unknown => Fact::Unknown,
    }
}

/// A policy as the page shows it.
pub(super) fn policy_block(anchor: &str, name: &str, policy: &Fact<PolicyDocument>) -> Markup {
    html! {
        h4 { (name) }
        @match policy {
            Fact::Known(policy) => { (code_block(anchor, &format!("{:#}", policy.to_value()))) }
            Fact::Absent => { p { "There is none." } }
            Fact::Unknown => { p { "It is not known." } }
        }
    }
}
