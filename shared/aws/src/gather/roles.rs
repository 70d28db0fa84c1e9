//! Roles with everything that is attached to them.

use std::collections::BTreeMap;

use crosspipe_core::arn::Arn;
use crosspipe_core::policy::PolicyDocument;
use crosspipe_core::snapshot::{Fact, RoleFacts};
use futures_util::future::{join_all, join3};

use super::fact_reader::FactReader;
use super::shared_facts::SharedFacts;
use crate::iam::Iam;

/// Roles of one account, side by side, by ARN.
pub(super) async fn read_roles<'a>(
    iam: &Iam,
    arns: impl Iterator<Item = &'a Arn>,
    reader: &FactReader,
    shared: &SharedFacts,
) -> Vec<(String, Fact<RoleFacts>)> {
    let roles = arns.map(async |arn| {
        let facts = match arn.role_name() {
            Some(name) => shared.roles.get(arn.as_str(), Box::pin(read_role(iam, name, reader))).await,
            None => Fact::Unknown,
        };
        (arn.to_string(), facts)
    });
    join_all(roles).await
}

async fn read_role(iam: &Iam, name: &str, reader: &FactReader) -> Fact<RoleFacts> {
    let (role, inline_policies, attached_policies) = join3(
        reader.known(name, iam.role(name)),
        inline_policies(iam, name, reader),
        attached_policies(iam, name, reader),
    )
    .await;
    let role = match role {
        Fact::Known(role) => role,
        Fact::Absent => return Fact::Absent,
        Fact::Unknown => {
            return Fact::Known(RoleFacts { inline_policies, attached_policies, ..RoleFacts::default() });
        }
    };
    let permissions_boundary = match &role.permissions_boundary_arn {
        None => Fact::Absent,
        Some(arn) => managed_policy(iam, arn, reader).await,
    };
    Fact::Known(RoleFacts {
        trust_policy: reader.parse(&role.arn, &role.trust_policy.to_string()),
        inline_policies,
        attached_policies,
        permissions_boundary,
        tags: Fact::Known(role.tags.into_iter().collect()),
    })
}

type Documents = Fact<BTreeMap<String, PolicyDocument>>;

async fn inline_policies(iam: &Iam, role: &str, reader: &FactReader) -> Documents {
    let names = match reader.known(role, iam.role_policy_names(role)).await {
        Fact::Known(names) => names,
        Fact::Absent => return Fact::Absent,
        Fact::Unknown => return Fact::Unknown,
    };
    let read = names.into_iter().map(async |name| {
        let document = reader.document(&name, iam.role_policy(role, &name)).await;
        (name, document)
    });
    all_known(join_all(read).await)
}

async fn attached_policies(iam: &Iam, role: &str, reader: &FactReader) -> Documents {
    let arns = match reader.known(role, iam.attached_policies(role)).await {
        Fact::Known(arns) => arns,
        Fact::Absent => return Fact::Absent,
        Fact::Unknown => return Fact::Unknown,
    };
    let read = arns.into_iter().map(async |arn| {
        let document = managed_policy(iam, &arn, reader).await;
        (arn, document)
    });
    all_known(join_all(read).await)
}

async fn managed_policy(iam: &Iam, arn: &str, reader: &FactReader) -> Fact<PolicyDocument> {
    let document = async { iam.managed_policy_document(arn).await.map(|it| Some(it.to_string())) };
    reader.document(arn, document).await
}

/// One that can't be read could say anything, so then nothing is known of the set.
fn all_known(documents: Vec<(String, Fact<PolicyDocument>)>) -> Documents {
    let mut known = BTreeMap::new();
    for (name, document) in documents {
        match document {
            Fact::Known(document) => drop(known.insert(name, document)),
            Fact::Absent => {}
            Fact::Unknown => return Fact::Unknown,
        }
    }
    Fact::Known(known)
}
