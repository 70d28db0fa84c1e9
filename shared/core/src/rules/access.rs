//! The requests that a cross-account action makes for its artifacts, evaluated.
//!
//! Four rules ask the same question of the same requests, each of another side: key policy (KM001),
//! bucket policy (S3001), and the action role's identity policies for either (IA004, IA005).

use serde_json::{Value, json};

use super::facts::{ActionFacts, codepipeline_context, key_grants, resource_policy};
use super::verdicts::Denied;
use crate::evaluation::{
    Context, Evaluation, KeyGrant, Policies, PolicySet, Request, ResourcePolicy, Side, Tri, evaluate,
};
use crate::snapshot::Fact;

/// What an action does with its key or its bucket.
pub(super) struct Access<'a> {
    action: ActionFacts<'a>,
    requests: Vec<(&'static str, String)>,
    resource_account: Option<&'a str>,
    context: Context,
    policies: Policies<'a>,
    /// A grant that could not be read may allow what the key policy does not.
    unread_grants: bool,
}

/// What one side says to all of these requests.
pub(super) struct Judgement {
    /// The requests that the side does not let pass.
    pub denied: Vec<Denied>,
    /// The statements of this side that deny explicitly.
    pub denying_statements: Vec<String>,
    /// Whether some request is not settled.
    pub unsettled: bool,
}

impl<'a> Access<'a> {
    /// What the action does with the artifact key; None where it has no key that is given by ARN.
    /// Inputs are decrypted; outputs are encrypted under data keys.
    pub(super) fn to_key(action: ActionFacts<'a>) -> Option<Self> {
        let arn = action.key_arn()?;
        let mut needs = vec!["kms:DescribeKey", "kms:Decrypt"];
        if action.action.output_artifacts().next().is_some() {
            needs.extend(["kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]);
        }
        let key = action.facts().key(arn.as_str());
        let policy = key.part(|key| &key.policy);
        Some(Access {
            action,
            requests: needs.into_iter().map(|need| (need, arn.to_string())).collect(),
            resource_account: action.facts().pipeline().account(),
            context: codepipeline_context(),
            policies: Self::policies(action, resource_policy(&policy), key_grants(&key)),
            unread_grants: matches!(key.part(|key| &key.grants), Fact::Unknown),
        })
    }

    /// What the action does with the artifact bucket; None where it has no artifacts.
    pub(super) fn to_bucket(action: ActionFacts<'a>) -> Option<Self> {
        let store = action.store()?;
        let objects = format!("arn:{}:s3:::{}", action.facts().partition(), store.bucket());
        // CodePipeline's object keys: the pipeline's name and the artifact's, each cut to 20 characters.
        let cut = |name: &str| name.chars().take(20).collect::<String>();
        let prefix = format!("{objects}/{}", cut(action.facts().pipeline().name()));
        let object = |artifact: &str| format!("{prefix}/{}/object", cut(artifact));
        let inputs = action.action.input_artifacts().map(|artifact| ("s3:GetObject", object(artifact)));
        let outputs = action.action.output_artifacts().map(|artifact| ("s3:PutObject", object(artifact)));
        let bucket = action.facts().bucket(store.bucket());
        let policy = bucket.part(|bucket| &bucket.policy);
        let mut context = codepipeline_context().with("s3:x-amz-server-side-encryption", "aws:kms");
        if let Some(key) = store.key_id() {
            context = context.with("s3:x-amz-server-side-encryption-aws-kms-key-id", key);
        }
        Some(Access {
            action,
            requests: inputs.chain(outputs).collect(),
            resource_account: action.facts().pipeline().account(),
            context,
            policies: Self::policies(action, resource_policy(&policy), vec![]),
            unread_grants: false,
        })
    }

    fn policies(
        action: ActionFacts<'a>,
        resource: ResourcePolicy<'a>,
        key_grants: Vec<KeyGrant>,
    ) -> Policies<'a> {
        let role = action.facts().role(action.role_arn());
        let role = role.known();
        Policies {
            identity: role.map_or_else(PolicySet::unknown, |role| role.identity()),
            permissions_boundary: role.map_or_else(|| Some(PolicySet::unknown()), |role| role.boundary()),
            resource,
            service_control_policies: vec![],
            key_grants,
        }
    }

    /// What one side says.
    pub(super) fn judge(&self, side: Side) -> Judgement {
        let mut judgement = Judgement { denied: vec![], denying_statements: vec![], unsettled: false };
        let Some(requester) = self.action.requester() else { return judgement };
        for (action, resource) in &self.requests {
            let request = Request {
                requester: requester.clone(),
                action,
                resource,
                resource_account: self.resource_account,
                context: self.context.clone(),
            };
            let evaluation = evaluate(&request, &self.policies);
            match evaluation.lets_pass(side) {
                Tri::Yes => {}
                Tri::Unknown => judgement.unsettled = true,
                Tri::No
                    if self.unread_grants
                        && side == Side::Resource
                        && evaluation.denied_by(side).is_none() =>
                {
                    judgement.unsettled = true;
                }
                Tri::No => {
                    judgement.note_deny(&evaluation, side);
                    judgement.denied.push(Denied {
                        principal: self.action.role_arn().to_owned(),
                        action: (*action).to_owned(),
                        resource: resource.clone(),
                        side,
                    });
                }
            }
        }
        judgement
    }
}

impl Judgement {
    fn note_deny(&mut self, evaluation: &Evaluation, side: Side) {
        let Some(statement) = evaluation.denied_by(side) else { return };
        let text = format!("{} of the {}", statement.statement, statement.policy);
        if !self.denying_statements.contains(&text) {
            self.denying_statements.push(text);
        }
    }

    /// The denied actions, each once, as a sentence has them.
    pub(super) fn actions(&self) -> String {
        let mut actions: Vec<&str> = self.denied.iter().map(|denied| denied.action.as_str()).collect();
        actions.dedup();
        actions.join(", ")
    }

    /// Why: the statements that deny, or that none allows.
    pub(super) fn because(&self, policy: &str, what_for: &str) -> String {
        if self.denying_statements.is_empty() {
            format!("no statement of {policy} allows {} {what_for}", self.actions())
        } else {
            format!("{} denies {} {what_for}", self.denying_statements.join(" and "), self.actions())
        }
    }
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
