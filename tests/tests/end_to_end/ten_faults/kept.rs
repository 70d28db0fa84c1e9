//! What was in the policies before a fix has to be there after it.

use std::collections::BTreeMap;

use crosspipe_core::policy::{PolicyDocument, Statement, meaning};
use crosspipe_e2e::Account;
use crosspipe_e2e::world::World;
use serde_json::{Value, json};

/// The policies that fixes change, by what they are called here.
pub(super) struct Documents(BTreeMap<String, PolicyDocument>);

impl Documents {
    pub(super) fn of(world: &World<'_>) -> Self {
        let live = world.live().unwrap();
        let mut documents = BTreeMap::new();
        let mut keep = |name: String, policy: Value| {
            documents.extend(PolicyDocument::from_value(policy).ok().map(|policy| (name, policy)));
        };
        keep("key".into(), live.key_policy);
        keep("bucket".into(), live.bucket_policy);
        for (account, role) in [
            (&world.tools, world.service_role.as_str()),
            (&world.target, "CrosspipeTargetRole"),
            (&world.target, world.instance_role.as_str()),
        ] {
            for (name, policy) in policies(account, role) {
                keep(format!("{role}: {name}"), policy);
            }
        }
        Self(documents)
    }

    /// How many statements of `before` are no longer there, or not in their order.
    pub(super) fn lost(&self, before: &Self) -> usize {
        let lost = |(name, was): (&String, &PolicyDocument)| {
            let is: Vec<Statement<'_>> =
                self.0.get(name).into_iter().flat_map(PolicyDocument::statements).collect();
            let mut from = 0;
            let mut kept = |statement: &Statement<'_>| {
                let same = |it: &Statement<'_>| meaning::same_statement(it.raw(), statement.raw());
                let at = is[from..].iter().position(same);
                from += at.map_or(0, |at| at + 1);
                at.is_some()
            };
            was.statements().count() - was.statements().filter(|it| kept(it)).count()
        };
        before.0.iter().map(lost).sum()
    }
}

/// A role's trust and its inline policies.
fn policies(account: &Account<'_>, role: &str) -> Vec<(String, Value)> {
    let named = json!({"RoleName": role});
    let mut found = account.call("iam", "get_role", named.clone()).unwrap();
    let mut policies = vec![("trust".to_owned(), found["Role"]["AssumeRolePolicyDocument"].take())];
    let listed = account.call("iam", "list_role_policies", named).unwrap();
    for name in listed["PolicyNames"].as_array().unwrap() {
        let request = json!({"RoleName": role, "PolicyName": name});
        let document = account.call("iam", "get_role_policy", request).unwrap()["PolicyDocument"].take();
        policies.push((name.as_str().unwrap().to_owned(), document));
    }
    policies
}
