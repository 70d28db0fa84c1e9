//! What a rule looks at: the pipeline's cross-account actions, each with the facts that belong to it.

use crate::arn::Arn;
use crate::evaluation::{Context, KeyGrant, PolicySet, Requester, ResourcePolicy};
use crate::pipeline::{Action, Pipeline, Store};
use crate::policy::PolicyDocument;
use crate::snapshot::{BucketFacts, Fact, KeyFacts, RoleFacts, Snapshot};

/// One pipeline and what is known about it.
#[derive(Debug)]
pub struct Facts<'a> {
    snapshot: &'a Snapshot,
    pipeline: &'a Pipeline,
    /// Look at this action only: stage and name.
    only: Option<(&'a str, &'a str)>,
}

/// A cross-account action and what it uses.
#[derive(Debug, Clone, Copy)]
pub struct ActionFacts<'a> {
    facts: &'a Facts<'a>,
    /// The action declaration.
    pub action: Action<'a>,
    /// The target account.
    pub account: &'a str,
}

impl<'a> Facts<'a> {
    /// All actions of a pipeline.
    pub fn new(snapshot: &'a Snapshot, pipeline: &'a Pipeline) -> Self {
        Facts { snapshot, pipeline, only: None }
    }

    /// One action of a pipeline.
    pub fn of_action(
        snapshot: &'a Snapshot,
        pipeline: &'a Pipeline,
        stage: &'a str,
        action: &'a str,
    ) -> Self {
        Facts { snapshot, pipeline, only: Some((stage, action)) }
    }

    /// The pipeline.
    pub fn pipeline(&self) -> &'a Pipeline {
        self.pipeline
    }

    /// The actions to look at, whatever their account.
    pub fn actions(&self) -> impl Iterator<Item = Action<'a>> {
        let only = self.only;
        self.pipeline.actions().filter(move |action| {
            only.is_none_or(|(stage, name)| action.stage().name() == stage && action.name() == name)
        })
    }

    /// The cross-account actions to look at.
    pub fn cross_account_actions(&'a self) -> impl Iterator<Item = ActionFacts<'a>> {
        self.actions().filter_map(|action| {
            let account = self.pipeline.target_account(&action)?;
            Some(ActionFacts { facts: self, action, account })
        })
    }

    /// The stores whose customer managed key is given by ARN, each with it.
    pub fn keys(&self) -> impl Iterator<Item = (Store<'a>, Arn)> {
        let by_arn = |store: Store<'a>| Some((store, Arn::parse(store.key_id()?).ok()?));
        self.pipeline.stores().filter_map(by_arn).filter(|(_, key)| key.resource().starts_with("key/"))
    }

    /// The Region of a store: its entry's, else the pipeline's, else that of its bucket or key.
    pub fn store_region(&self, store: &Store<'a>) -> Option<&'a str> {
        let of_bucket =
            || self.snapshot.buckets.get(store.bucket())?.known()?.region.known().map(String::as_str);
        store.region().or_else(|| self.pipeline.region()).or_else(of_bucket)
    }

    /// What is known of a role.
    pub fn role(&self, arn: &str) -> Fact<&'a RoleFacts> {
        self.snapshot.roles.get(arn).map_or(Fact::Unknown, Fact::as_ref)
    }

    /// What is known of a key.
    pub fn key(&self, arn: &str) -> Fact<&'a KeyFacts> {
        self.snapshot.keys.get(arn).map_or(Fact::Unknown, Fact::as_ref)
    }

    /// What is known of a bucket.
    pub fn bucket(&self, name: &str) -> Fact<&'a BucketFacts> {
        self.snapshot.buckets.get(name).map_or(Fact::Unknown, Fact::as_ref)
    }

    /// The partition of this pipeline's ARNs.
    pub fn partition(&self) -> String {
        Arn::parse(self.pipeline.role_arn()).map_or_else(|_| "aws".into(), |arn| arn.partition().to_owned())
    }
}

impl<'a> ActionFacts<'a> {
    /// Everything else.
    pub fn facts(&self) -> &'a Facts<'a> {
        self.facts
    }

    /// The action role's ARN.
    pub fn role_arn(&self) -> &'a str {
        self.action.role_arn().unwrap_or_default()
    }

    /// The action role as a requester, if its ARN can be read.
    pub fn requester(&self) -> Option<Requester> {
        Arn::parse(self.role_arn()).ok().map(Requester::Role)
    }

    /// The store that the action reads artifacts from and writes them to, if it has any artifact.
    pub fn store(&self) -> Option<Store<'a>> {
        let has_artifacts =
            self.action.input_artifacts().next().is_some() || self.action.output_artifacts().next().is_some();
        self.facts.pipeline.store_for(self.action.region()).filter(|_| has_artifacts)
    }

    /// The ARN of the store's customer managed key, where it is given by ARN.
    pub fn key_arn(&self) -> Option<Arn> {
        let arn = Arn::parse(self.store()?.key_id()?).ok()?;
        arn.resource().starts_with("key/").then_some(arn)
    }

    /// How to speak of the action: `Stage/Action`.
    pub fn label(&self) -> String {
        format!("{}/{}", self.action.stage().name(), self.action.name())
    }

    /// How to speak of its role: by name and account, since the ARN stands where it is needed.
    pub fn role_label(&self) -> String {
        let arn = Arn::parse(self.role_arn());
        let name = arn.as_ref().ok().and_then(Arn::role_name).unwrap_or(self.role_arn());
        format!("role {name} of account {}", self.account)
    }

    /// What the action does with its artifacts.
    pub fn use_of_artifacts(&self) -> &'static str {
        let reads = self.action.input_artifacts().next().is_some();
        let writes = self.action.output_artifacts().next().is_some();
        match (reads, writes) {
            (true, true) => "read and write",
            (false, true) => "write",
            _ => "read",
        }
    }
}

impl RoleFacts {
    /// The role's identity policies.
    pub(super) fn identity(&self) -> PolicySet<'_> {
        let named = |(name, document): (&String, _)| (name.clone(), document);
        let inline = self.inline_policies.known();
        let attached = self.attached_policies.known();
        let documents =
            inline.into_iter().flatten().chain(attached.into_iter().flatten()).map(named).collect();
        if self.inline_policies.is_unknown() || self.attached_policies.is_unknown() {
            PolicySet::Incomplete(documents)
        } else {
            PolicySet::Known(documents)
        }
    }

    /// The role's permissions boundary, if it has one.
    pub(super) fn boundary(&self) -> Option<PolicySet<'_>> {
        match &self.permissions_boundary {
            Fact::Known(document) => Some(PolicySet::Known(vec![("permissions boundary".into(), document)])),
            Fact::Absent => None,
            Fact::Unknown => Some(PolicySet::unknown()),
        }
    }
}

/// A policy fact as evaluation wants it.
pub(super) fn resource_policy<'a>(policy: &Fact<&'a PolicyDocument>) -> ResourcePolicy<'a> {
    match policy {
        Fact::Known(document) => ResourcePolicy::Known(document),
        Fact::Absent => ResourcePolicy::Absent,
        Fact::Unknown => ResourcePolicy::Unknown,
    }
}

/// The grants of a key.
pub(super) fn key_grants(key: &Fact<&KeyFacts>) -> Vec<KeyGrant> {
    let grants = key.known().and_then(|key| key.grants.known()).into_iter().flatten();
    let grants = grants.map(|grant| KeyGrant {
        grantee_principal: grant.grantee_principal.clone(),
        operations: grant.operations.clone(),
    });
    grants.collect()
}

/// What every request that CodePipeline makes on behalf of a role carries, as far as it is certain.
pub(super) fn codepipeline_context() -> Context {
    Context::partial()
        .with("aws:SecureTransport", "true")
        .with("aws:ViaAWSService", "false")
        .without("sts:ExternalId")
        .without("aws:MultiFactorAuthPresent")
        .without("aws:MultiFactorAuthAge")
}
