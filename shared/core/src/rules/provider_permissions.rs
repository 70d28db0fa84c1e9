//! Whether the action role has what its provider needs, on the resources that the action's configuration names.
//!
//! Only what an action can't do without counts: a list that asks for more than that would find fault with
//! pipelines that work. Passing roles is another matter (IA011).

use serde_json::{Value, json};

use super::access::{Access, OWN};
use super::access_result::{AccessResult, Refusal};
use super::diagnostics::Fix;
use super::documents::Document;
use super::facts::text;
use super::fix_statements::allow;
use super::{ActionFacts, Denied, Facts, denied_request};
use crate::arn::{Arn, account_of, bucket_of, region_of};
use crate::evaluation::statement::covers_action;
use crate::evaluation::{PolicySet, Side, Ternary, pattern};
use crate::incident::actor::{is_redacted, without_redaction};
use crate::incident::message::{Denial, PolicyKind};
use crate::incident::{Actor, ActorKind};
use crate::pipeline::Store;
use crate::policy::Effect;
use crate::providers::{Permission, Provider};
use crate::snapshot::{Fact, RoleFacts};

/// What an action's provider needs; None where that is not known.
pub(super) fn needs(action: &ActionFacts<'_>) -> Option<Vec<Permission>> {
    action.provider().permissions(&action.place())
}

/// A request that AWS says it denied to the failed action's role, held against what is known: by the role's own
/// policies, by the resource's, or by a side that the message does not name. None for artifacts, their key, roles that
/// are passed and connections, which are the affair of other rules, and where what is known allows the request.
pub(super) fn denied_as_told<'f>(
    facts: &'f Facts<'_>,
    action: &ActionFacts<'_>,
) -> Option<(&'f Actor, &'f Denial, AccessResult)> {
    let incident = facts.incident().filter(|it| it.is_of(action))?;
    let (denial, actor) = (incident.denial.as_ref()?, incident.actor.as_ref()?);
    let sides = denied_request::sides_of(denial)?;
    let resource = denial.resource.as_deref();
    let is_bucket = |store: &Store<'_>| resource.and_then(bucket_of) == Some(store.bucket());
    let is_key = || denial.action.starts_with("kms:") && resource.is_none_or(|it| is_artifact_key(facts, it));
    let of_other_rule = denial.action.eq_ignore_ascii_case("iam:PassRole")
        || denial.action.ends_with(":UseConnection")
        || facts.pipeline().stores().any(|store| is_bucket(&store))
        || is_key();
    let limits = [Side::ServiceControl, Side::PermissionsBoundary];
    let by_limit = limits.into_iter().any(|side| incident.is_denied_by(facts, side));
    if actor.kind != ActorKind::ActionRole || of_other_rule || by_limit {
        return None;
    }
    // Whoever was denied something elsewhere by its own policies is mistaken about the place.
    let here = |part: Option<&str>, own: Option<&str>| part.is_none_or(is_redacted) || part == own;
    let is_here = here(resource.and_then(region_of), action.region())
        && here(resource.and_then(account_of), Some(action.account));
    if !is_here && denial.side != Some(PolicyKind::ResourceBased) {
        return None;
    }
    let role = actor.arn.as_str();
    let Some(resource) = resource else {
        // Without a resource it is enough that a statement allows the action on anything.
        let result = AccessResult { unsettled: true, ..AccessResult::default() };
        let may_lack = lacks_anywhere(&facts.role(role), &denial.action) != Ternary::No;
        return may_lack.then_some((actor, denial, result));
    };
    let request = (denial.action.as_str(), resource);
    let result = denied_request::judge(facts, role, request, sides);
    let own = denied_request::judge(facts, role, request, &OWN);
    // What the role's own policies allow in its own account is allowed, unless AWS names another side.
    let may_itself =
        own.is_clear() && !own.unsettled && denial.side != Some(PolicyKind::ResourceBased) && is_here;
    let stale = result.is_clear() && !result.unsettled;
    let allowed = denied_request::is_allowed(facts, role, &denial.action, resource);
    (!stale && !allowed && !may_itself).then_some((actor, denial, result))
}

fn is_artifact_key(facts: &Facts<'_>, resource: &str) -> bool {
    facts.pipeline().stores().any(|store| {
        // A message may be cut in the middle of the key, or hide its account.
        let is_it =
            |key: &str| key.starts_with(resource) || pattern::matches(&without_redaction(resource), key);
        store.key_id().is_some_and(is_it) || facts.key_of(&store).is_some_and(|key| is_it(key.as_str()))
    })
}

/// The key with which the bucket encrypts that an S3 action reads from or deploys to, with what the action's role
/// does with it, and what comes of that. S3 asks KMS in the name of the role.
pub(super) fn destination_key<'a>(action: &ActionFacts<'a>) -> Option<(Arn, AccessResult)> {
    let facts = action.facts();
    let (bucket, object, need) = match action.provider() {
        Provider::S3Deploy => ("BucketName", "ObjectKey", "kms:GenerateDataKey"),
        Provider::S3Source => ("S3Bucket", "S3ObjectKey", "kms:Decrypt"),
        _ => return None,
    };
    let place = action.place();
    let (bucket, object) = (place.value(bucket)?, place.value(object).unwrap_or("object"));
    let by_default = || {
        let encryption = facts.bucket(bucket).part(|bucket| &bucket.encryption);
        encryption.known().and_then(|it| text(it, "/KMSMasterKeyID"))
    };
    let key = place.value("KMSEncryptionKeyARN").or_else(by_default)?;
    let key = Arn::parse(key).ok().filter(|key| key.resource().starts_with("key/"))?;
    // What encrypts artifacts is judged with them.
    if is_artifact_key(facts, key.as_str()) || facts.key(key.as_str()).is_unknown() {
        return None;
    }
    let needs = [(need, place.s3(&format!("{bucket}/{object}")))];
    let access = Access::key(facts, action.role_arn(), &key, bucket, &needs);
    let result = if key.account() == action.account {
        access.judge_together(Side::Identity)
    } else {
        access.judge(&[Side::Identity, Side::PermissionsBoundary, Side::Resource])
    };
    Some((key, result))
}

/// Whether the role lacks a permission for sure, that is, on each resource that may be meant; and the requests that
/// are refused then. `*` stands for what AWS makes up, as in the permission.
pub(super) fn lacks(action: &ActionFacts<'_>, need: &Permission) -> (Ternary, Vec<Refusal>) {
    let role = action.role_arn();
    let refusal = |resource: &str| {
        let denied = Denied {
            principal: role.to_owned(),
            action: need.action.to_string(),
            resource: resource.to_owned(),
            side: Side::Identity,
            explicit: false,
        };
        Refusal { denied, by: None }
    };
    if need.resources.is_empty() {
        return (lacks_anywhere(&action.facts().role(role), &need.action), vec![refusal("*")]);
    }
    let (mut answers, mut refusals) = (vec![], vec![]);
    for resource in &need.resources {
        let request = (need.action.to_string(), real(resource));
        let judgement = access(action, request).judge(&sides(action, resource));
        answers.push(if judgement.unsettled { Ternary::Unknown } else { (!judgement.is_clear()).into() });
        let mut refusal = refusal(resource);
        if let Some(Refusal { denied, by }) = judgement.refused.into_iter().next() {
            (refusal.denied.side, refusal.denied.explicit, refusal.by) = (denied.side, denied.explicit, by);
        }
        refusals.push(refusal);
    }
    (Ternary::all(answers), refusals)
}

/// The role's request to its provider: in the action's Region, for what the account that the resource's ARN names
/// owns, or the bucket's account.
pub(super) fn access<'a>(action: &ActionFacts<'a>, request: (String, String)) -> Access<'a> {
    let (facts, resource) = (action.facts(), request.1.clone());
    let arn = Arn::parse(&resource).ok();
    let in_arn = arn.as_ref().map(Arn::account).filter(|account| !account.is_empty());
    let of_bucket =
        || facts.bucket(bucket_of(&resource)?).part(|bucket| &bucket.account).known().map(|it| it.as_str());
    let region = match arn.as_ref().map(Arn::region).filter(|region| !region.is_empty()) {
        Some(region) => Some(region.to_owned()),
        None if resource == "*" => action.region().map(str::to_owned),
        None => None,
    };
    let context = facts.codepipeline_context(action.role_arn());
    let context = match region {
        Some(region) => context.with("aws:RequestedRegion", region),
        None => context,
    };
    let owner = in_arn.or_else(of_bucket).map(str::to_owned);
    let mut access = Access::new(facts, action.role_arn(), vec![request]);
    if let Some(bucket) = bucket_of(&resource) {
        access = access.with_policy(&facts.bucket(bucket).part(|bucket| &bucket.policy));
    }
    access.in_account(facts, owner.as_deref()).in_context(context)
}

/// The sides that have a say: the role's own, and where a bucket belongs to another account than the role, its policy.
fn sides(action: &ActionFacts<'_>, resource: &str) -> Vec<Side> {
    let facts = action.facts();
    let owner = bucket_of(resource).map(|bucket| facts.bucket(bucket).part(|bucket| &bucket.account));
    let foreign = owner.is_some_and(|it| it.known().is_some_and(|it| it.as_str() != action.account));
    let resource_side = foreign.then_some(Side::Resource);
    OWN.into_iter().chain(resource_side).collect()
}

/// A bucket of another account than the role's, with its account, where it is all that refuses the role.
pub(super) fn foreign_bucket(
    facts: &Facts<'_>,
    judgement: &AccessResult,
    account: &str,
) -> Option<(String, String)> {
    let of_resource = judgement.refused.iter().all(|it| it.denied.side == Side::Resource);
    let bucket = judgement.refused.first()?.denied.bucket()?.to_owned();
    let owner = facts.bucket(&bucket).part(|bucket| &bucket.account).known()?.to_string();
    (of_resource && owner != account).then_some((bucket, owner))
}

/// The fix for a role that deploys to a bucket of another account: a role of that account, or the bucket's policy.
pub(super) fn letting_into_bucket(
    facts: &Facts<'_>,
    action: &ActionFacts<'_>,
    judgement: &AccessResult,
    statements: &[Value],
    bucket: &str,
    owner: &str,
) -> Fix {
    let role = action.role_arn();
    let path = action.action.path();
    if !judgement.denying().is_empty() {
        let summary = format!(
            "give the action a role of account {owner}, which owns bucket `{bucket}`: set `{path}.roleArn`; or exempt {role} from {} of the bucket",
            judgement.denying()
        );
        return Fix { summary, ..Fix::default() };
    }
    let to_role = |statement: &Value| {
        let mut statement = statement.clone();
        if let Some(elements) = statement.as_object_mut() {
            elements.insert("Principal".into(), json!({ "AWS": role }));
        }
        statement
    };
    let statements: Vec<Value> = statements.iter().map(to_role).collect();
    Fix {
        summary: format!(
            "give the action a role of account {owner}, which owns bucket `{bucket}`: set `{path}.roleArn`; or add this statement to the bucket's policy"
        ),
        command: Some(Document::bucket_policy(facts, bucket).add(&statements)),
        statements,
        crosspipe: None,
    }
}

/// A resource that AWS may have made up.
fn real(resource: &str) -> String {
    const SOME_ID: &str = "12345678-1234-1234-1234-123456789012";
    if resource == "*" { resource.to_owned() } else { resource.replace('*', SOME_ID) }
}

/// The statements that allow these: what works on the same resources in one of them.
pub(super) fn statements(needs: &[Permission]) -> Vec<Value> {
    let mut groups: Vec<(&[String], Vec<&str>)> = vec![];
    for need in needs {
        match groups.iter_mut().find(|(resources, _)| *resources == need.resources) {
            Some((_, actions)) => actions.push(&need.action),
            None => groups.push((&need.resources, vec![&need.action])),
        }
    }
    let any = ["*".to_owned()];
    let on = |resources: &'_ [String]| if resources.is_empty() { any.to_vec() } else { resources.to_vec() };
    groups.into_iter().map(|(resources, actions)| allow(None, &actions, &on(resources))).collect()
}

/// Whether no statement of the role allows an action on anything at all.
pub(super) fn lacks_anywhere(role: &Fact<&RoleFacts>, action: &str) -> Ternary {
    let Fact::Known(role) = role else {
        return if role.is_unknown() { Ternary::Unknown } else { Ternary::No };
    };
    let (documents, complete) = match role.identity() {
        PolicySet::Known(documents) => (documents, true),
        PolicySet::Incomplete(documents) => (documents, false),
    };
    let mut statements = documents.iter().flat_map(|(_, document)| document.statements());
    let covered = statements
        .any(|statement| statement.effect() == Some(Effect::Allow) && covers_action(statement, action));
    match (covered, complete) {
        (true, _) => Ternary::No,
        (false, true) => Ternary::Yes,
        (false, false) => Ternary::Unknown,
    }
}
