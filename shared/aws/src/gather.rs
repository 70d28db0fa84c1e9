//! A snapshot of what a pipeline's cross-account actions depend on, in both accounts.
//!
//! Everything is read side by side. What does not exist is absent; what can't be read is unknown, with one
//! line in `unreadable` that says why, and never a reason to stop: half a snapshot still explains a lot.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use crosspipe_core::arn::Arn;
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::policy::PolicyDocument;
use crosspipe_core::snapshot::{BucketFacts, Fact, GrantFacts, KeyFacts, RoleFacts, Snapshot};
use futures_util::future::{join_all, join3};
use serde_json::Value;

use crate::error::{AwsError, ErrorKind};
use crate::{Aws, iam::Iam};

/// Where and as whom to look.
#[derive(Debug, Clone, Copy)]
pub struct Lookout<'a> {
    /// The pipeline's account and Region.
    pub tools: &'a Aws,
    /// The name of the role to take on in target accounts; without it they stay unknown.
    pub diagnostics_role: Option<&'a str>,
    /// Shows up in the target account's CloudTrail.
    pub session_name: &'a str,
}

/// A snapshot, and what is missing from it.
#[derive(Debug)]
pub struct Gathered {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// Why parts of it are unknown, one line each.
    pub unreadable: Vec<String>,
}

/// Gathers what the cross-account actions of a pipeline depend on; `only` is the stage and name of the one
/// action to look at. `live` is `GetPipeline`'s output.
pub async fn snapshot(
    lookout: Lookout<'_>,
    live: Value,
    pipeline: &Pipeline,
    only: Option<(&str, &str)>,
) -> Gathered {
    let notes = Notes::default();
    let (mut keys, mut buckets, mut roles) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let actions = pipeline.cross_account_actions().map(|(action, _)| action);
    for action in
        actions.filter(|action| only.is_none_or(|only| only == (action.stage().name(), action.name())))
    {
        roles.insert(pipeline.role_arn().to_owned());
        roles.extend(action.role_arn().map(str::to_owned));
        let Some(store) = pipeline.store_for(action.region()) else { continue };
        buckets.insert(store.bucket().to_owned());
        keys.extend(store.key_id().filter(|key| key.contains(":key/")).map(str::to_owned));
    }
    let own = pipeline.account().unwrap_or_default();
    let keys =
        join_all(keys.into_iter().map(async |arn| (arn.clone(), key(lookout.tools, &arn, &notes).await)));
    let buckets = buckets.into_iter().map(async |name| {
        let facts = bucket(lookout.tools, &name, own, &notes).await;
        (name, facts)
    });
    let roles = roles_by_account(lookout, own, roles, &notes);
    let (keys, buckets, roles) = join3(keys, join_all(buckets), roles).await;
    let snapshot = Snapshot {
        pipeline: Fact::Known(live),
        keys: keys.into_iter().collect(),
        buckets: buckets.into_iter().collect(),
        roles,
        ..Snapshot::default()
    };
    Gathered { snapshot, unreadable: notes.into_lines() }
}

async fn key(tools: &Aws, arn: &str, notes: &Notes) -> Fact<KeyFacts> {
    let region = Arn::parse(arn).map(|arn| arn.region().to_owned()).unwrap_or_default();
    let kms = tools.in_region(&region).kms();
    let (metadata, policy, grants) = join3(kms.describe_key(arn), kms.key_policy(arn), kms.grants(arn)).await;
    if matches!(&metadata, Err(error) if error.kind == ErrorKind::NotFound) {
        return Fact::Absent;
    }
    let grants = notes.fact(grants.map(Some)).known().map(|grants: &Vec<Value>| {
        let read = grants.iter().filter_map(|grant| serde_json::from_value::<GrantFacts>(grant.clone()).ok());
        read.collect()
    });
    Fact::Known(KeyFacts {
        key_metadata: notes.fact(metadata.map(Some)),
        policy: notes.document(arn, policy.map(Some)),
        grants: grants.map_or(Fact::Unknown, Fact::Known),
    })
}

async fn bucket(tools: &Aws, name: &str, account: &str, notes: &Notes) -> Fact<BucketFacts> {
    let region = match tools.s3().bucket_region(name, account).await {
        Ok(region) => Some(region),
        Err(error) if error.kind == ErrorKind::NotFound => return Fact::Absent,
        Err(error) => {
            notes.note(&error);
            None
        }
    };
    let s3 = region.as_deref().map_or_else(|| tools.clone(), |region| tools.in_region(region)).s3();
    let (policy, ownership, encryption) = join3(
        s3.bucket_policy(name, account),
        s3.object_ownership(name, account),
        s3.default_encryption(name, account),
    )
    .await;
    // Only the owner's answer passes the expected owner of the call.
    let owned = region.is_some() || policy.is_ok();
    Fact::Known(BucketFacts {
        account: if owned { Fact::Known(account.to_owned()) } else { Fact::Unknown },
        region: region.map_or(Fact::Unknown, Fact::Known),
        policy: notes.document(name, policy),
        object_ownership: notes.fact(ownership),
        encryption: notes.fact(encryption),
    })
}

/// Roles of the tools account as oneself, those of each target account through its diagnostics role.
async fn roles_by_account(
    lookout: Lookout<'_>,
    own: &str,
    arns: BTreeSet<String>,
    notes: &Notes,
) -> BTreeMap<String, Fact<RoleFacts>> {
    let mut by_account: BTreeMap<(String, String), Vec<Arn>> = BTreeMap::new();
    for arn in arns.iter().filter_map(|arn| Arn::parse(arn).ok()) {
        by_account.entry((arn.account().to_owned(), arn.partition().to_owned())).or_default().push(arn);
    }
    let accounts = by_account.into_iter().map(async |((account, partition), arns)| {
        let aws = if account == own {
            Some(lookout.tools.clone())
        } else {
            target_account(lookout, &account, &partition, notes).await
        };
        let roles = arns.into_iter().map(|arn| {
            let iam = aws.as_ref().map(Aws::iam);
            async move {
                let facts = match (&iam, arn.role_name()) {
                    (Some(iam), Some(name)) => role(iam, name, notes).await,
                    _ => Fact::Unknown,
                };
                (arn.to_string(), facts)
            }
        });
        join_all(roles).await
    });
    // What is unknown is left out: that is how a snapshot says so.
    join_all(accounts).await.into_iter().flatten().filter(|(_, facts)| !facts.is_unknown()).collect()
}

async fn target_account(lookout: Lookout<'_>, account: &str, partition: &str, notes: &Notes) -> Option<Aws> {
    let name = lookout.diagnostics_role?;
    let role = format!("arn:{partition}:iam::{account}:role/{name}");
    match lookout.tools.assume_role(&role, lookout.session_name).await {
        Ok(aws) => Some(aws),
        Err(error) => {
            notes.note(&error);
            None
        }
    }
}

async fn role(iam: &Iam, name: &str, notes: &Notes) -> Fact<RoleFacts> {
    let (role, inline, attached) =
        join3(iam.role(name), inline_policies(iam, name, notes), attached_policies(iam, name, notes)).await;
    let role = match role {
        Ok(role) => role,
        Err(error) if error.kind == ErrorKind::NotFound => return Fact::Absent,
        Err(error) => {
            notes.note(&error);
            return Fact::Known(RoleFacts {
                inline_policies: inline,
                attached_policies: attached,
                ..RoleFacts::default()
            });
        }
    };
    let boundary = match &role.permissions_boundary_arn {
        None => Fact::Absent,
        Some(arn) => {
            notes.document(arn, iam.managed_policy_document(arn).await.map(|it| Some(it.to_string())))
        }
    };
    Fact::Known(RoleFacts {
        trust_policy: notes.document(&role.arn, Ok(Some(role.trust_policy.to_string()))),
        inline_policies: inline,
        attached_policies: attached,
        permissions_boundary: boundary,
    })
}

type Documents = Fact<BTreeMap<String, PolicyDocument>>;

async fn inline_policies(iam: &Iam, role: &str, notes: &Notes) -> Documents {
    let names = match iam.role_policy_names(role).await {
        Ok(names) => names,
        Err(error) => return notes.unknown(&error),
    };
    let read = names.into_iter().map(async |name| {
        let document = notes.document(&name, iam.role_policy(role, &name).await);
        (name, document)
    });
    all_known(join_all(read).await)
}

async fn attached_policies(iam: &Iam, role: &str, notes: &Notes) -> Documents {
    let arns = match iam.attached_policies(role).await {
        Ok(arns) => arns,
        Err(error) => return notes.unknown(&error),
    };
    let read = arns.into_iter().map(async |arn| {
        let document = iam.managed_policy_document(&arn).await.map(|it| Some(it.to_string()));
        let document = notes.document(&arn, document);
        (arn, document)
    });
    all_known(join_all(read).await)
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

/// Collects why parts are unknown.
#[derive(Debug, Default)]
struct Notes(Mutex<BTreeSet<String>>);

impl Notes {
    fn note(&self, why: &dyn std::fmt::Display) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(why.to_string());
    }

    fn unknown<T>(&self, error: &AwsError) -> Fact<T> {
        if error.kind == ErrorKind::NotFound {
            return Fact::Absent;
        }
        self.note(error);
        Fact::Unknown
    }

    fn fact<T>(&self, answer: Result<Option<T>, AwsError>) -> Fact<T> {
        answer.map_or_else(|error| self.unknown(&error), Fact::from)
    }

    fn document(&self, of: &str, answer: Result<Option<String>, AwsError>) -> Fact<PolicyDocument> {
        match self.fact(answer) {
            Fact::Known(text) => match PolicyDocument::parse(&text) {
                Ok(document) => Fact::Known(document),
                Err(error) => {
                    self.note(&format!("the policy of `{of}` can't be read: {error}"));
                    Fact::Unknown
                }
            },
            Fact::Absent => Fact::Absent,
            Fact::Unknown => Fact::Unknown,
        }
    }

    fn into_lines(self) -> Vec<String> {
        self.0.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).into_iter().collect()
    }
}
