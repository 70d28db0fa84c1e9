//! The requests of a role for keys, buckets and other resources, evaluated side by side.
//!
//! Many rules ask the same question of the same requests, each of another side: key policy (KM001),
//! bucket policy (S3001, S3002), and the role's own policies for either (IA004, IA005).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::access_result::{AccessResult, Refusal};
use super::diagnostics::Denied;
use super::facts::{ActionFacts, ActionGroup, Facts, NEVER_SENT};
use super::policy_inputs::{key_grants, resource_policy};
use super::tls;
use crate::arn::{self, Arn};
use crate::evaluation::statement::covers_action;
use crate::evaluation::{
    Context, Decision, Evaluation, KeyGrant, Policies, PolicySet, Request, Requester, ResourcePolicy, Side,
    StatementRef, Ternary, evaluate,
};
use crate::grants::bucket::{BUCKET_ACTIONS, OBJECT_ACTIONS};
use crate::grants::key::ACTIONS;
use crate::incident::message::ErrorSignature;
use crate::pipeline::Store;
use crate::policy::PolicyDocument;
use crate::snapshot::{Fact, RoleFacts, RoleTags};

/// What a role's own policies are: those that allow, and the boundary that limits them.
pub(super) const OWN: [Side; 2] = [Side::Identity, Side::PermissionsBoundary];

/// Requests of one role, with the policies that have a say in them.
pub(super) struct Access<'a> {
    role_arn: String,
    role: Fact<&'a RoleFacts>,
    service_control: Vec<PolicySet<'a>>,
    requests: Vec<AccessRequest>,
    resource_account: Option<String>,
    context: Context,
    resource: ResourcePolicy<'a>,
    key_grants: Vec<KeyGrant>,
    /// A grant that could not be read may allow what the key policy does not.
    unread_grants: bool,
}

/// One request.
#[derive(Debug, Clone)]
struct AccessRequest {
    action: String,
    resource: String,
    /// What its context may be beside the one that all have in common, where that is more than one thing:
    /// policies that tell them apart do not settle the request.
    variants: Vec<Context>,
}

/// A request, decided in each context that it may have.
pub(super) struct Decided<'a> {
    /// Action and resource.
    pub request: (String, String),
    evaluations: Vec<Evaluation<'a>>,
}

impl Decided<'_> {
    fn answer(&self, of: impl Fn(&Evaluation<'_>) -> Ternary) -> Ternary {
        let mut answers = self.evaluations.iter().map(of);
        let first = answers.next().unwrap_or(Ternary::Unknown);
        if answers.all(|it| it == first) { first } else { Ternary::Unknown }
    }

    /// Whether one side lets the request pass.
    pub(super) fn permits(&self, side: Side) -> Ternary {
        self.answer(|it| it.permits(side))
    }

    /// Whether one side allows the request, whatever it denies.
    pub(super) fn allows(&self, side: Side) -> Ternary {
        self.answer(|it| it.allows(side))
    }

    /// The statement of this side that denies the request.
    pub(super) fn denied_by(&self, side: Side) -> Option<StatementRef> {
        self.evaluations.first().and_then(|it| it.denied_by(side))
    }

    /// What all sides together decide.
    pub(super) fn decision(&self) -> Decision {
        let mut decisions = self.evaluations.iter().map(|it| it.decision);
        let first = decisions.next().unwrap_or(Decision::Unknown);
        if decisions.all(|it| it == first) { first } else { Decision::Unknown }
    }
}

impl<'a> Access<'a> {
    /// What a role asks CodePipeline to do for it; the resource's policy is not known.
    pub(super) fn new(facts: &Facts<'a>, role_arn: &str, requests: Vec<(String, String)>) -> Self {
        let request =
            |(action, resource): (String, String)| AccessRequest { action, resource, variants: vec![] };
        Access {
            role_arn: role_arn.to_owned(),
            role: facts.role(role_arn),
            service_control: facts.service_control(role_arn),
            requests: requests.into_iter().map(request).collect(),
            resource_account: None,
            context: facts.codepipeline_context(role_arn),
            resource: ResourcePolicy::Unknown,
            key_grants: vec![],
            unread_grants: false,
        }
    }

    /// What S3 does with a key for a role that reads or writes these objects: each with the action on the key.
    pub(super) fn key(
        facts: &Facts<'a>,
        role_arn: &str,
        key: &Arn,
        bucket: &str,
        needs: &[(&str, String)],
    ) -> Self {
        let known = facts.key(key.as_str());
        let mut access = Access {
            resource: resource_policy(&known.part(|key| &key.policy)),
            key_grants: key_grants(&known),
            unread_grants: known.part(|key| &key.grants).is_unknown(),
            ..Access::new(facts, role_arn, vec![])
        };
        access.requests =
            needs.iter().map(|(need, object)| key_request(facts, need, key, bucket, object)).collect();
        access.in_account(facts, Some(key.account())).in_context(via_s3(facts, role_arn, key))
    }

    /// What a role does with objects of an artifact bucket, or with the bucket.
    pub(super) fn bucket(
        facts: &Facts<'a>,
        role_arn: &str,
        store: &Store<'a>,
        requests: Vec<(String, String)>,
    ) -> Self {
        let known = facts.bucket(store.bucket());
        let owner = known.part(|bucket| &bucket.account).known().map(|it| it.as_str());
        let mut access = Access {
            resource: resource_policy(&known.part(|bucket| &bucket.policy)),
            ..Access::new(facts, role_arn, requests)
        };
        for request in &mut access.requests {
            request.variants = vec![encryption_headers(&request.action, facts.key_of(store).as_ref())];
        }
        let context = facts.codepipeline_context(role_arn);
        let context = match facts.store_region(store) {
            Some(region) => context.with("aws:RequestedRegion", region),
            None => context,
        };
        access.in_account(facts, owner.or_else(|| facts.pipeline().account())).in_context(context)
    }

    /// What the actions do with the artifact key; None where it has no key that is given by ARN, or somebody else
    /// handles their artifacts. Inputs are decrypted; outputs are encrypted under data keys.
    pub(super) fn to_key(group: &ActionGroup<'a>) -> Option<Self> {
        let (facts, store, key) = (group.first.facts(), group.first.store()?, group.first.key_arn()?);
        let mut needs: Vec<(&str, String)> = vec![];
        // An upload in parts decrypts as well. Which uploads are is not known before one has failed.
        let failed = |action: &ActionFacts<'_>| {
            facts.incident().is_some_and(|incident| {
                let of_artifact = |it: &ErrorSignature| matches!(it, ErrorSignature::Artifact { .. });
                incident.is_of(action) && incident.claims.iter().any(of_artifact)
            })
        };
        let in_parts = group.actions.iter().any(failed);
        for (need, artifact) in artifact_uses(group) {
            let of_writes: &[&str] =
                if in_parts { &["kms:GenerateDataKey", "kms:Decrypt"] } else { &["kms:GenerateDataKey"] };
            let needed = if need == "s3:PutObject" { of_writes } else { &["kms:Decrypt"] };
            for need in needed {
                if needs.iter().all(|(it, _)| it != need) {
                    needs.push((need, object(facts, &store, artifact)));
                }
            }
        }
        let role = group.first.role_arn();
        (!needs.is_empty()).then(|| Access::key(facts, role, &key, store.bucket(), &needs))
    }

    /// What the actions do with the artifact bucket; None where they have no artifacts, or somebody else handles
    /// them.
    pub(super) fn to_bucket(group: &ActionGroup<'a>) -> Option<Self> {
        let (facts, store) = (group.first.facts(), group.first.store()?);
        let mut requests: Vec<(String, String)> = vec![];
        let mut seen = BTreeSet::new();
        for (need, artifact) in artifact_uses(group) {
            if seen.insert((need, artifact)) {
                requests.push((need.to_owned(), object(facts, &store, artifact)));
            }
        }
        let role = group.first.role_arn();
        (!requests.is_empty()).then(|| Access::bucket(facts, role, &store, requests))
    }

    /// What a role needs to read the inputs of an action as itself, that is, without CodePipeline; each with
    /// where the policy of the other side is.
    pub(super) fn reads(action: ActionFacts<'a>, role_arn: &str) -> Vec<(Self, String)> {
        let inputs: Vec<&str> = action.action.input_artifacts().collect();
        let (facts, Some(store)) = (action.facts(), action.store()) else { return vec![] };
        Access::artifacts_as_itself(facts, role_arn, &store, &inputs, &[])
    }

    /// What a role needs to read and write artifacts as itself: first the bucket, then the key; each with where
    /// the policy of the other side is.
    pub(super) fn artifacts_as_itself(
        facts: &Facts<'a>,
        role_arn: &str,
        store: &Store<'a>,
        inputs: &[&str],
        outputs: &[&str],
    ) -> Vec<(Self, String)> {
        let of = |need: &str, names: &[&str]| -> Vec<(String, String)> {
            names.iter().map(|name| (need.to_owned(), object(facts, store, name))).collect()
        };
        let objects = [of("s3:GetObject", inputs), of("s3:PutObject", outputs)].concat();
        let bucket = Access::bucket(facts, role_arn, store, objects).without_codepipeline();
        let mut accesses = vec![(bucket, format!("buckets[\"{}\"].policy", store.bucket()))];
        if let Some(key) = facts.key_of(store) {
            let reads = inputs.first().map(|it| ("kms:Decrypt", object(facts, store, it)));
            let writes = outputs.first().map(|it| ("kms:GenerateDataKey", object(facts, store, it)));
            let needs: Vec<_> = reads.into_iter().chain(writes).collect();
            let access = Access::key(facts, role_arn, &key, store.bucket(), &needs).without_codepipeline();
            accesses.push((access, format!("keys[\"{key}\"].policy")));
        }
        accesses
    }

    /// The same requests of a role that asks for itself, from wherever it is: it may come through an endpoint of
    /// a VPC.
    fn without_codepipeline(self) -> Self {
        let open = |context: Context, key: &str| context.with_unknown(key);
        let context = NEVER_SENT.into_iter().chain(["aws:ViaAWSService"]).fold(self.context.clone(), open);
        self.in_context(context)
    }

    /// The same requests, for what has this policy.
    pub(super) fn with_policy(self, policy: &Fact<&'a PolicyDocument>) -> Self {
        Access { resource: resource_policy(policy), ..self }
    }

    /// The same requests, for what this account owns.
    pub(super) fn in_account(self, facts: &Facts<'a>, account: Option<&str>) -> Self {
        Access {
            context: facts.of_resource_account(self.context, account),
            resource_account: account.map(str::to_owned),
            ..self
        }
    }

    /// The same requests with what else is certain of their context; with the TLS version, where the policies
    /// leave it no say, and without the tags that the role does not have.
    pub(super) fn in_context(self, context: Context) -> Self {
        let resource = if let ResourcePolicy::Known(policy) = self.resource { Some(policy) } else { None };
        let role = self.role.known().copied();
        let documents = || {
            let own = role.map(|role| role.documents()).into_iter().flatten();
            resource.into_iter().chain(own)
        };
        let version = tls::version(documents());
        let context =
            version.into_iter().fold(self.context.and(context), |context, it| context.with(tls::KEY, it));
        let tags = role.and_then(|role| role.tags.known());
        let context = match tags {
            Some(tags) => documents().fold(context, |context, it| without_other_tags(context, it, tags)),
            None => context,
        };
        Access { context, ..self }
    }

    /// What one of these sides refuses. A role that does not exist asks for nothing.
    pub(super) fn judge(&self, sides: &[Side]) -> AccessResult {
        let mut judgement = AccessResult::default();
        if matches!(self.role, Fact::Absent) {
            return judgement;
        }
        for decided in self.decide() {
            let answer = |side: &Side| self.answer(&decided, *side);
            if let Some(side) = sides.iter().copied().find(|side| answer(side) == Ternary::No) {
                let by = decided.denied_by(side).map(|by| format!("{} of the {}", by.statement, by.policy));
                let (action, resource) = decided.request;
                let explicit = by.is_some();
                let denied = Denied { principal: self.role_arn.clone(), action, resource, side, explicit };
                judgement.refused.push(Refusal { denied, by });
            } else if sides.iter().any(|side| answer(side) == Ternary::Unknown) {
                judgement.unsettled = true;
                judgement.open.extend(self.open_conditions(&decided.request.0, sides));
                judgement.allow_unsettled |= sides.iter().any(|side| decided.allows(*side) != Ternary::Yes);
            }
        }
        judgement
    }

    /// What all sides together refuse, for what the role's own account owns: each request by the side that has to be
    /// changed. Where none denies, and either side could allow, that is `preferred`.
    pub(super) fn judge_together(&self, preferred: Side) -> AccessResult {
        let mut judgement = AccessResult::default();
        if matches!(self.role, Fact::Absent) {
            return judgement;
        }
        let own = |decided: &Decided<'_>| Ternary::all(OWN.map(|side| decided.permits(side)));
        for decided in self.decide() {
            match decided.decision() {
                Decision::Allowed => {}
                // Whether a bucket's policy denies it is asked of that side alone.
                Decision::Unknown
                    if decided.request.0.starts_with("s3:") && own(&decided) == Ternary::Yes => {}
                Decision::Unknown => {
                    judgement.unsettled = true;
                    let sides = [OWN.as_slice(), &[Side::Resource]].concat();
                    judgement.open.extend(self.open_conditions(&decided.request.0, &sides));
                }
                Decision::ImplicitlyDenied if self.unread_grants => judgement.unsettled = true,
                Decision::ExplicitlyDenied | Decision::ImplicitlyDenied => {
                    let side = refusing(&decided, preferred);
                    let by =
                        decided.denied_by(side).map(|by| format!("{} of the {}", by.statement, by.policy));
                    let (principal, explicit) = (self.role_arn.clone(), by.is_some());
                    let (action, resource) = decided.request;
                    let denied = Denied { principal, action, resource, side, explicit };
                    judgement.refused.push(Refusal { denied, by });
                }
            }
        }
        judgement
    }

    /// The conditions of statements on an action in the policies of these sides, where those are known, as far as
    /// they are not certain. Each with its statement.
    fn open_conditions(&self, action: &str, sides: &[Side]) -> Vec<String> {
        let own = self.role.known().filter(|_| sides.contains(&Side::Identity));
        let own = own.into_iter().flat_map(|role| role.documents());
        let resource = match self.resource {
            ResourcePolicy::Known(policy) if sides.contains(&Side::Resource) => Some(policy),
            _ => None,
        };
        let statements = own.chain(resource).flat_map(PolicyDocument::statements);
        let Ok(arn) = Arn::parse(&self.role_arn) else { return vec![] };
        let requester = Requester::Role(arn);
        let is_open = |key: &str| self.context.is_unknown(key, &requester);
        let open = statements.filter(|statement| covers_action(*statement, action)).filter_map(|statement| {
            let keys: BTreeSet<&str> =
                statement.conditions().map(|(_, key, _)| key).filter(|key| is_open(key)).collect();
            let keys: Vec<&str> = keys.into_iter().collect();
            (!keys.is_empty()).then(|| format!("{} of {}", keys.join(" and "), statement.label()))
        });
        open.collect()
    }

    fn answer(&self, decided: &Decided<'_>, side: Side) -> Ternary {
        match decided.permits(side) {
            Ternary::No
                if side == Side::Resource && self.unread_grants && decided.denied_by(side).is_none() =>
            {
                Ternary::Unknown
            }
            answer => answer,
        }
    }

    /// Each request, decided with everything that has a say.
    pub(super) fn decide(&self) -> Vec<Decided<'_>> {
        let Ok(arn) = Arn::parse(&self.role_arn) else { return vec![] };
        let role = self.role.known();
        let policies = Policies {
            identity: role.map_or_else(PolicySet::unknown, |role| role.identity()),
            permissions_boundary: role.map_or_else(|| Some(PolicySet::unknown()), |role| role.boundary()),
            resource: self.resource,
            service_control_policies: self.service_control.clone(),
            key_grants: self.key_grants.clone(),
        };
        let evaluation = |asked: &AccessRequest, context: Context| {
            let request = Request {
                requester: Requester::Role(arn.clone()),
                action: &asked.action,
                resource: &asked.resource,
                resource_account: self.resource_account.as_deref(),
                context,
            };
            evaluate(&request, &policies)
        };
        let decide = |asked: &AccessRequest| {
            let variants = asked.variants.iter().map(|it| self.context.clone().and(it.clone()));
            let mut evaluations: Vec<_> = variants.map(|context| evaluation(asked, context)).collect();
            if evaluations.is_empty() {
                evaluations.push(evaluation(asked, self.context.clone()));
            }
            Decided { request: (asked.action.clone(), asked.resource.clone()), evaluations }
        };
        self.requests.iter().map(decide).collect()
    }
}

/// The side that has to be changed for a role of the resource's own account: the one that denies, or limits; else
/// either will do, but for a key whose policy does not hand it to the account.
fn refusing(decided: &Decided<'_>, preferred: Side) -> Side {
    let limits = [Side::ServiceControl, Side::PermissionsBoundary];
    let limit = limits.into_iter().find(|side| decided.permits(*side) == Ternary::No);
    let denying =
        [Side::Identity, Side::Resource].into_iter().find(|side| decided.denied_by(*side).is_some());
    let is_key = decided.request.0.starts_with("kms:");
    let either =
        if is_key && decided.allows(Side::Resource) == Ternary::No { Side::Resource } else { preferred };
    limit.or(denying).unwrap_or(either)
}

/// What the actions of a group whose own role handles artifacts do with each: `s3:GetObject` or `s3:PutObject`.
fn artifact_uses<'a>(group: &ActionGroup<'a>) -> impl Iterator<Item = (&'static str, &'a str)> {
    group.with_artifacts_of_role().flat_map(|action| {
        let inputs = action.action.input_artifacts().map(|artifact| ("s3:GetObject", artifact));
        inputs.chain(action.action.output_artifacts().map(|artifact| ("s3:PutObject", artifact)))
    })
}

/// The headers about encryption: writes carry them, reads never.
fn encryption_headers(action: &str, key: Option<&Arn>) -> Context {
    const HEADER: &str = "s3:x-amz-server-side-encryption";
    const KEY_HEADER: &str = "s3:x-amz-server-side-encryption-aws-kms-key-id";
    if !action.starts_with("s3:Put") {
        return Context::partial().without(HEADER).without(KEY_HEADER);
    }
    let context = Context::partial().with(HEADER, "aws:kms");
    match key {
        Some(key) => context.with(KEY_HEADER, key.as_str()),
        None => context,
    }
}

/// What S3's request to KMS for a role carries.
fn via_s3(facts: &Facts<'_>, role_arn: &str, key: &Arn) -> Context {
    let context = facts.codepipeline_context(role_arn).with("aws:RequestedRegion", key.region());
    // Whether the service that asks for somebody shows in these is not written down.
    let context = ["aws:ViaAWSService", "aws:CalledVia"].iter().fold(context, |it, key| it.with_unknown(key));
    let account = Arn::parse(role_arn).map(|role| role.account().to_owned()).unwrap_or_default();
    let context = context.with("kms:CallerAccount", account);
    let context = context.with_values("kms:EncryptionContextKeys", vec!["aws:s3:arn".into()]);
    // The name of the service in other partitions is not written down.
    if matches!(key.partition(), "aws" | "aws-us-gov") {
        return context.with("kms:ViaService", format!("s3.{}.amazonaws.com", key.region()));
    }
    context
}

/// A request to KMS for an object. Its encryption context is the object's ARN, or the bucket's where the bucket has
/// an S3 Bucket Key.
fn key_request(facts: &Facts<'_>, need: &str, key: &Arn, bucket: &str, object: &str) -> AccessRequest {
    let of = |arn: &str| Context::partial().with("kms:EncryptionContext:aws:s3:arn", arn);
    let of_bucket = object.split_once('/').map_or(object, |(bucket, _)| bucket);
    let encryption = facts.bucket(bucket).part(|bucket| &bucket.encryption);
    let bucket_key = encryption.known().and_then(|it| it.get("BucketKeyEnabled")).and_then(Value::as_bool);
    let variants = match bucket_key {
        Some(true) => vec![of(of_bucket)],
        Some(false) => vec![of(object)],
        None => vec![of(object), of(of_bucket)],
    };
    AccessRequest { action: need.to_owned(), resource: key.to_string(), variants }
}

/// The context without those tags of the requester that a policy asks for and the role does not have.
pub(super) fn without_other_tags(context: Context, policy: &PolicyDocument, tags: &RoleTags) -> Context {
    let conditions = policy.statements().flat_map(|statement| statement.conditions().collect::<Vec<_>>());
    let asked = conditions.filter_map(|(_, key, _)| {
        let prefix = key.get(..PRINCIPAL_TAG.len())?;
        let tag = key.get(PRINCIPAL_TAG.len()..)?;
        (prefix.eq_ignore_ascii_case(PRINCIPAL_TAG) && !tags.has(tag)).then_some(key)
    });
    asked.fold(context, |context, key| context.without(key))
}

const PRINCIPAL_TAG: &str = "aws:PrincipalTag/";

/// The ARN of an object of an artifact. CodePipeline's keys have the pipeline's name, cut to 20 characters, and the
/// artifact's, cut to 10.
pub(super) fn object(facts: &Facts<'_>, store: &Store<'_>, artifact: &str) -> String {
    let cut = |name: &str, to: usize| name.chars().take(to).collect::<String>();
    let (pipeline, artifact) = (cut(facts.pipeline().name(), 20), cut(artifact, 10));
    arn::object(facts.partition(), store.bucket(), format_args!("{pipeline}/{artifact}/object"))
}

/// The statements that let a role read artifacts, or read and write them; in its own policies without a principal.
pub(super) fn use_statements<'a>(
    facts: &Facts<'a>,
    store: &Store<'a>,
    writes: bool,
    principal: Option<&str>,
) -> Vec<Value> {
    let bucket = arn::bucket(facts.partition(), store.bucket());
    let (of_objects, of_key): (&[&str], &[&str]) = if writes {
        (&["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"], &ACTIONS)
    } else {
        (&["s3:GetObject", "s3:GetObjectVersion"], &["kms:DescribeKey", "kms:Decrypt"])
    };
    let mut statements = vec![
        allow(principal, of_objects, &[format!("{bucket}/*")]),
        allow(principal, &["s3:ListBucket", "s3:GetBucketLocation"], &[bucket]),
    ];
    statements.extend(facts.key_of(store).map(|key| allow(principal, of_key, &[key.to_string()])));
    statements
}

/// The statements that let a principal use an artifact bucket; in its own policies without a principal.
pub(super) fn artifact_statements(facts: &Facts<'_>, bucket: &str, principal: Option<&str>) -> Vec<Value> {
    let bucket = arn::bucket(facts.partition(), bucket);
    vec![
        allow(principal, &OBJECT_ACTIONS, &[format!("{bucket}/*")]),
        allow(principal, &BUCKET_ACTIONS, &[bucket]),
    ]
}

/// The statement that lets a principal use a key; in its own policies without a principal, and with the ARN.
pub(super) fn key_statement(key: &Arn, principal: Option<&str>) -> Value {
    let resource = if principal.is_some() { "*" } else { key.as_str() };
    allow(principal, &ACTIONS, &[resource.to_owned()])
}

/// Whether a policy denies this request explicitly.
pub(super) fn denies(policy: &PolicyDocument, request: &Request<'_>) -> Ternary {
    let mut document = policy.to_value();
    let everything = json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"});
    let statements: Vec<Value> = policy
        .statements()
        .map(|statement| Value::Object(statement.raw().clone()))
        .chain([everything])
        .collect();
    if let Some(members) = document.as_object_mut() {
        members.insert("Statement".into(), Value::Array(statements));
    }
    let Ok(document) = PolicyDocument::from_value(document) else { return Ternary::Unknown };
    // With everything allowed, only a Deny keeps the request from passing.
    let policies = Policies {
        identity: PolicySet::unknown(),
        permissions_boundary: None,
        resource: ResourcePolicy::Known(&document),
        service_control_policies: vec![],
        key_grants: vec![],
    };
    !evaluate(request, &policies).permits(Side::Resource)
}

/// An Allow statement; in identity policies without a principal.
pub(super) fn allow(principal: Option<&str>, actions: &[&str], resources: &[String]) -> Value {
    let mut statement = json!({"Effect": "Allow"});
    if let Some(elements) = statement.as_object_mut() {
        elements.extend(principal.map(|arn| ("Principal".to_owned(), json!({ "AWS": arn }))));
        elements.insert("Action".into(), json!(actions));
        let resource = if let [single] = resources { json!(single) } else { json!(resources) };
        elements.insert("Resource".into(), resource);
    }
    statement
}
