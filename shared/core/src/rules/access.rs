//! The requests of a role for keys, buckets and other resources, evaluated side by side.
//!
//! Many rules ask the same question of the same requests, each of another side: key policy (KM001),
//! bucket policy (S3001, S3002), and the role's own policies for either (IA004, IA005).

use serde_json::{Value, json};

use super::access_result::{AccessResult, Refusal};
use super::diagnostics::Denied;
use super::facts::{ActionFacts, Facts};
use super::policy_inputs::{key_grants, resource_policy};
use super::tls;
use crate::arn::Arn;
use crate::evaluation::{
    Context, Evaluation, KeyGrant, Policies, PolicySet, Request, Requester, ResourcePolicy, Side, Ternary,
    evaluate,
};
use crate::grants::bucket::{BUCKET_ACTIONS, OBJECT_ACTIONS};
use crate::grants::key::ACTIONS;
use crate::pipeline::Store;
use crate::policy::PolicyDocument;
use crate::snapshot::{Fact, RoleFacts};

/// What a role's own policies are: those that allow, and the boundary that limits them.
pub(super) const OWN: [Side; 2] = [Side::Identity, Side::PermissionsBoundary];

/// Requests of one role, with the policies that have a say in them.
pub(super) struct Access<'a> {
    role_arn: String,
    role: Fact<&'a RoleFacts>,
    service_control: Vec<PolicySet<'a>>,
    requests: Vec<(String, String)>,
    resource_account: Option<String>,
    context: Context,
    resource: ResourcePolicy<'a>,
    key_grants: Vec<KeyGrant>,
    /// A grant that could not be read may allow what the key policy does not.
    unread_grants: bool,
}

impl<'a> Access<'a> {
    /// What a role asks CodePipeline to do for it; the resource's policy is not known.
    pub(super) fn new(facts: &Facts<'a>, role_arn: &str, requests: Vec<(String, String)>) -> Self {
        Access {
            role_arn: role_arn.to_owned(),
            role: facts.role(role_arn),
            service_control: facts.service_control(role_arn),
            requests,
            resource_account: None,
            context: facts.codepipeline_context(role_arn),
            resource: ResourcePolicy::Unknown,
            key_grants: vec![],
            unread_grants: false,
        }
    }

    /// What a role does with a key.
    pub(super) fn key(facts: &Facts<'a>, role_arn: &str, key: &Arn, needs: &[&str]) -> Self {
        let requests = needs.iter().map(|need| ((*need).to_owned(), key.to_string())).collect();
        let known = facts.key(key.as_str());
        Access {
            resource_account: Some(key.account().to_owned()),
            resource: resource_policy(&known.part(|key| &key.policy)),
            key_grants: key_grants(&known),
            unread_grants: known.part(|key| &key.grants).is_unknown(),
            ..Access::new(facts, role_arn, requests)
        }
    }

    /// What a role does with objects of an artifact bucket, or with the bucket.
    pub(super) fn bucket(
        facts: &Facts<'a>,
        role_arn: &str,
        store: &Store<'_>,
        requests: Vec<(String, String)>,
    ) -> Self {
        let access = Access::new(facts, role_arn, requests);
        let context = access.context.clone().with("s3:x-amz-server-side-encryption", "aws:kms");
        let context = match store.key_id() {
            Some(key) => context.with("s3:x-amz-server-side-encryption-aws-kms-key-id", key),
            None => context,
        };
        let access = Access {
            resource_account: facts.pipeline().account().map(str::to_owned),
            resource: resource_policy(&facts.bucket(store.bucket()).part(|bucket| &bucket.policy)),
            ..access
        };
        access.in_context(context)
    }

    /// What the action does with the artifact key; None where it has no key that is given by ARN.
    /// Inputs are decrypted; outputs are encrypted under data keys.
    pub(super) fn to_key(action: ActionFacts<'a>) -> Option<Self> {
        let key = action.key_arn()?;
        let mut needs = vec!["kms:DescribeKey", "kms:Decrypt"];
        if action.action.output_artifacts().next().is_some() {
            needs.extend(["kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]);
        }
        Some(Access::key(action.facts(), action.role_arn(), &key, &needs))
    }

    /// What the action does with the artifact bucket; None where it has no artifacts.
    pub(super) fn to_bucket(action: ActionFacts<'a>) -> Option<Self> {
        let store = action.store()?;
        let inputs = action.action.input_artifacts().map(|artifact| ("s3:GetObject", artifact));
        let outputs = action.action.output_artifacts().map(|artifact| ("s3:PutObject", artifact));
        let requests = inputs
            .chain(outputs)
            .map(|(need, artifact)| (need.to_owned(), object(action.facts(), &store, artifact)));
        Some(Access::bucket(action.facts(), action.role_arn(), &store, requests.collect()))
    }

    /// What a role needs to read the inputs of an action as itself, that is, without CodePipeline; each with
    /// where the policy of the other side is.
    pub(super) fn reads(action: ActionFacts<'a>, role_arn: &str) -> Vec<(Self, String)> {
        let (facts, Some(store)) = (action.facts(), action.store()) else { return vec![] };
        let inputs = action.action.input_artifacts();
        let objects = inputs.map(|artifact| ("s3:GetObject".to_owned(), object(facts, &store, artifact)));
        let bucket = Access::bucket(facts, role_arn, &store, objects.collect());
        let mut accesses = vec![(bucket, format!("buckets[\"{}\"].policy", store.bucket()))];
        accesses.extend(action.key_arn().map(|key| {
            (Access::key(facts, role_arn, &key, &["kms:Decrypt"]), format!("keys[\"{key}\"].policy"))
        }));
        let own = |(access, place): (Self, _)| (access.in_context(facts.context(role_arn)), place);
        accesses.into_iter().map(own).collect()
    }

    /// The same requests in another context; with the TLS version, where the policies leave it no say.
    pub(super) fn in_context(self, context: Context) -> Self {
        let resource = if let ResourcePolicy::Known(policy) = self.resource { Some(policy) } else { None };
        let role = self.role.known().map(|role| role.documents());
        let version = tls::version(resource.into_iter().chain(role.into_iter().flatten()));
        let context = version.into_iter().fold(context, |context, it| context.with(tls::KEY, it));
        Access { context, ..self }
    }

    /// What one of these sides refuses. A role that does not exist asks for nothing.
    pub(super) fn judge(&self, sides: &[Side]) -> AccessResult {
        let mut judgement = AccessResult::default();
        if matches!(self.role, Fact::Absent) {
            return judgement;
        }
        for (request, evaluation) in self.evaluations() {
            let answer = |side: &Side| self.answer(&evaluation, *side);
            if let Some(side) = sides.iter().copied().find(|side| answer(side) == Ternary::No) {
                let by =
                    evaluation.denied_by(side).map(|by| format!("{} of the {}", by.statement, by.policy));
                let (action, resource) = request;
                let explicit = by.is_some();
                let denied = Denied { principal: self.role_arn.clone(), action, resource, side, explicit };
                judgement.refused.push(Refusal { denied, by });
            } else if sides.iter().any(|side| answer(side) == Ternary::Unknown) {
                judgement.unsettled = true;
                judgement.allow_unsettled |=
                    sides.iter().any(|side| evaluation.allows(*side) != Ternary::Yes);
            }
        }
        judgement
    }

    fn answer(&self, evaluation: &Evaluation<'_>, side: Side) -> Ternary {
        match evaluation.permits(side) {
            Ternary::No
                if side == Side::Resource && self.unread_grants && evaluation.denied_by(side).is_none() =>
            {
                Ternary::Unknown
            }
            answer => answer,
        }
    }

    /// Each request, decided with everything that has a say.
    pub(super) fn evaluations(&self) -> Vec<((String, String), Evaluation<'_>)> {
        let Ok(arn) = Arn::parse(&self.role_arn) else { return vec![] };
        let role = self.role.known();
        let policies = Policies {
            identity: role.map_or_else(PolicySet::unknown, |role| role.identity()),
            permissions_boundary: role.map_or_else(|| Some(PolicySet::unknown()), |role| role.boundary()),
            resource: self.resource,
            service_control_policies: self.service_control.clone(),
            key_grants: self.key_grants.clone(),
        };
        let decide = |(action, resource): &(String, String)| {
            let request = Request {
                requester: Requester::Role(arn.clone()),
                action,
                resource,
                resource_account: self.resource_account.as_deref(),
                context: self.context.clone(),
            };
            ((action.clone(), resource.clone()), evaluate(&request, &policies))
        };
        self.requests.iter().map(decide).collect()
    }
}

/// The ARN of an object of an artifact: CodePipeline's keys have the pipeline's name and the artifact's,
/// each cut to 20 characters.
pub(super) fn object(facts: &Facts<'_>, store: &Store<'_>, artifact: &str) -> String {
    let cut = |name: &str| name.chars().take(20).collect::<String>();
    let (pipeline, artifact) = (cut(facts.pipeline().name()), cut(artifact));
    format!("arn:{}:s3:::{}/{pipeline}/{artifact}/object", facts.partition(), store.bucket())
}

/// The statements that let a role read artifacts; in its own policies without a principal.
pub(super) fn read_statements(action: &ActionFacts<'_>, principal: Option<&str>) -> Vec<Value> {
    let Some(store) = action.store() else { return vec![] };
    let bucket = format!("arn:{}:s3:::{}", action.facts().partition(), store.bucket());
    let mut statements = vec![
        allow(principal, &["s3:GetObject", "s3:GetObjectVersion"], &[format!("{bucket}/*")]),
        allow(principal, &["s3:ListBucket", "s3:GetBucketLocation"], &[bucket]),
    ];
    let key = action.key_arn();
    statements
        .extend(key.map(|key| allow(principal, &["kms:DescribeKey", "kms:Decrypt"], &[key.to_string()])));
    statements
}

/// The statements that let a principal use an artifact bucket; in its own policies without a principal.
pub(super) fn artifact_statements(facts: &Facts<'_>, bucket: &str, principal: Option<&str>) -> Vec<Value> {
    let bucket = format!("arn:{}:s3:::{bucket}", facts.partition());
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
