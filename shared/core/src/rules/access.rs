//! The requests of a role for keys, buckets and other resources, with what is known of their policies.
//! `judging` evaluates them, side by side.
//!
//! Many rules ask the same question of the same requests, each of another side: key policy (KM001),
//! bucket policy (S3001, S3002), and the role's own policies for either (IA004, IA005).

use std::collections::BTreeSet;

use serde_json::Value;

use super::action_facts::{ActionFacts, ActionGroup};
use super::facts::Facts;
use super::policy_inputs::{key_grants, resource_policy};
use super::request_context::{NEVER_SENT, encryption_headers, via_s3, without_other_tags};
use super::tls;
use crate::arn::{self, Arn};
use crate::evaluation::{Context, KeyGrant, PolicySet, ResourcePolicy};
use crate::incident::message::ErrorSignature;
use crate::pipeline::Store;
use crate::policy::PolicyDocument;
use crate::snapshot::{Fact, RoleFacts};

mod judging;

pub(super) use judging::{OWN, denies};

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

    /// What a role of EventBridge does with an event bus of this account: it puts such events on it.
    pub(super) fn event_bus(
        facts: &Facts<'a>,
        role_arn: &str,
        bus: &str,
        (source, detail_type): (&str, &str),
    ) -> Self {
        let requests = vec![("events:PutEvents".to_owned(), bus.to_owned())];
        let policy = facts.event_bus(bus).part(|bus| &bus.policy);
        let event = Context::partial()
            .with("events:source", source)
            .with("events:detail-type", detail_type)
            .with("events:eventBusInvocation", "true");
        Access { resource: resource_policy(&policy), ..Access::new(facts, role_arn, requests) }
            .without_codepipeline()
            .in_account(facts, crate::arn::account_of(bus))
            .in_context(event)
    }

    /// What a role of EventBridge does with a pipeline: it starts it.
    pub(super) fn start_of_pipeline(facts: &Facts<'a>, role_arn: &str, pipeline: &str) -> Self {
        let requests = vec![("codepipeline:StartPipelineExecution".to_owned(), pipeline.to_owned())];
        Access::new(facts, role_arn, requests)
            .without_codepipeline()
            .in_account(facts, facts.pipeline().account())
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
}

/// What the actions of a group whose own role handles artifacts do with each: `s3:GetObject` or `s3:PutObject`.
fn artifact_uses<'a>(group: &ActionGroup<'a>) -> impl Iterator<Item = (&'static str, &'a str)> {
    group.with_artifacts_of_role().flat_map(|action| {
        let inputs = action.action.input_artifacts().map(|artifact| ("s3:GetObject", artifact));
        inputs.chain(action.action.output_artifacts().map(|artifact| ("s3:PutObject", artifact)))
    })
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

/// The ARN of an object of an artifact. CodePipeline's keys have the pipeline's name, cut to 20 characters, and the
/// artifact's, cut to 10.
pub(super) fn object(facts: &Facts<'_>, store: &Store<'_>, artifact: &str) -> String {
    let cut = |name: &str, to: usize| name.chars().take(to).collect::<String>();
    let (pipeline, artifact) = (cut(facts.pipeline().name(), 20), cut(artifact, 10));
    arn::object(facts.partition(), store.bucket(), format_args!("{pipeline}/{artifact}/object"))
}
