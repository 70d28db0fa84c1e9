//! `Custom::ArtifactKeyGrant`: the artifact key's policy lets the service role, roles of the key's own account and
//! the grantees use the key.

use crosspipe_aws::{Aws, AwsError};
use crosspipe_core::arn::Arn;
use crosspipe_core::field_error::FieldError;
use crosspipe_core::grants::Quota;
use crosspipe_core::grants::key;
use crosspipe_core::policy::{Change, OwnedStatements, PolicyDocument};
use crosspipe_core::remediation::ResourceType;
use crosspipe_custom_resource::{Failure, Success};
use futures_util::future::try_join;
use serde_json::{Map, Value};

use crate::policy_documents::{self, LivePolicy};
use crate::properties::Properties;
use crate::reference::{Attribute, Property};
use crate::resource::{Memories, Plan, Preview, Resource, ResourceError};
use crate::{ResourceContext, failures, grantee_properties};

/// The grant.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyGrant {
    key: Arn,
    statements: OwnedStatements,
}

impl KeyGrant {
    fn key(properties: &Map<String, Value>, context: &ResourceContext) -> Result<Arn, FieldError> {
        let text = properties.get("KeyArn").and_then(Value::as_str).unwrap_or_default();
        key::key_arn("KeyArn", text.trim(), &context.account, None)
    }
}

impl Resource for KeyGrant {
    const TYPE: ResourceType = ResourceType::ArtifactKeyGrant;
    const DOES: &'static str = "Adds statements to the policy of an existing KMS key: the service role, own roles and grantees get `kms:DescribeKey`, `GenerateDataKey*`, `Encrypt`, `ReEncrypt*` and `Decrypt`.";
    const PROPERTIES: &'static [&'static [Property]] = &[
        &[
            Property::required(
                "KeyArn",
                "ARN of a customer managed key of this account, in any Region; an id or an alias is refused, because it means another key in another account",
            ),
            Property::required("ServiceRoleArn", "the pipeline's service role, of this account"),
            Property::default(
                "OwnRoleArns",
                "none",
                "further roles of this account that use the key, such as the service roles of CodeBuild projects",
            ),
        ],
        &grantee_properties::ALL,
    ];
    const ATTRIBUTES: &'static [Attribute] = &policy_documents::ATTRIBUTES;
    type Live = LivePolicy;
    type Change = Change;
    type Memory = ();

    fn parse(properties: &Map<String, Value>, context: &ResourceContext) -> Result<Vec<Self>, FieldError> {
        let read = Properties::new(properties, Self::PROPERTIES)?;
        read.required("KeyArn")?;
        let key = Self::key(properties, context)?;
        let own_role = |field: &str, text: &str| context.allowed.own_role(field, text, &context.account);
        let service_role = own_role("ServiceRoleArn", read.required("ServiceRoleArn")?)?;
        let own_roles = read.list("OwnRoleArns")?;
        let own_roles = own_roles.iter().map(|arn| own_role("OwnRoleArns", arn)).collect::<Result<_, _>>()?;
        let grantees = grantee_properties::read_grantees(&read, context)?;
        let users = key::Users { service_role, own_roles, grantees };
        Ok(vec![KeyGrant { statements: key::desired_statements(&context.owner, &key, &users), key }])
    }

    fn parse_absent(
        properties: &Map<String, Value>,
        context: &ResourceContext,
    ) -> Result<Vec<Self>, FieldError> {
        let statements = key::no_statements(&context.owner);
        Ok(vec![KeyGrant { key: Self::key(properties, context)?, statements }])
    }

    fn target(&self) -> &str {
        self.key.as_str()
    }

    fn target_arn(target: &str, _context: &ResourceContext) -> String {
        target.to_owned()
    }

    async fn read(&self, aws: &Aws, _context: &ResourceContext) -> Result<LivePolicy, ResourceError> {
        let (kms, key) = (aws.in_region(self.key.region()).kms(), self.key.as_str());
        let (tags, text) = try_join(kms.tags(key), kms.key_policy(key)).await?;
        Ok(LivePolicy { document: policy_documents::parse(Some(&text), key)?, tags })
    }

    fn plan(
        &self,
        live: &LivePolicy,
        memories: &Memories<Self>,
        _context: &ResourceContext,
    ) -> Result<Plan<Self>, Failure> {
        // A key always has a policy; one without a statement stands for the impossible.
        let none = PolicyDocument::empty();
        let change = key::plan(live.document.as_ref().unwrap_or(&none), &self.statements);
        policy_documents::plan_of(change, memories)
    }

    async fn write(
        &self,
        aws: &Aws,
        _context: &ResourceContext,
        _live: &LivePolicy,
        change: &Change,
    ) -> Result<Option<String>, AwsError> {
        // A deletion is never planned: a key policy without a statement is a lockout.
        if let Change::Put(document) = change {
            let kms = aws.in_region(self.key.region()).kms();
            kms.put_key_policy(self.key.as_str(), &document.to_json()).await?;
        }
        Ok(None)
    }

    fn attributes(&self, live: &LivePolicy, _context: &ResourceContext) -> Success {
        let quota = Quota::KeyPolicy;
        policy_documents::grant_attributes(&self.statements, quota, quota.used(&live.document))
    }

    fn notices(&self, live: &LivePolicy) -> Vec<String> {
        failures::owner_notice("key", &live.tags).into_iter().collect()
    }

    fn preview(&self, live: &LivePolicy, change: Option<&Change>, _context: &ResourceContext) -> Preview {
        let (what, quota) = (format!("key policy of {}", self.key), Quota::KeyPolicy);
        policy_documents::preview_of(what, live.document.as_ref(), change, &[], quota)
    }
}
