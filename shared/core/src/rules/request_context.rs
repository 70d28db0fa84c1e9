//! What a role's requests carry, as far as it is certain, and what the organization says to them.

use super::facts::Facts;
use crate::arn::Arn;
use crate::evaluation::{Context, PolicySet};
use crate::policy::PolicyDocument;
use crate::snapshot::RoleTags;

/// What a request on behalf of a role never carries, so that no condition may ask for it.
pub(super) const NEVER_SENT: [&str; 8] = [
    "sts:ExternalId",
    "aws:MultiFactorAuthPresent",
    "aws:MultiFactorAuthAge",
    "aws:SourceArn",
    "aws:SourceAccount",
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:VpcSourceIp",
];

impl<'a> Facts<'a> {
    /// What every request that CodePipeline makes on behalf of a role carries, as far as it is certain.
    pub(super) fn codepipeline_context(&self, role_arn: &str) -> Context {
        let context = self.context(role_arn).with("aws:ViaAWSService", "false");
        NEVER_SENT.iter().fold(context, |context, key| context.without(key))
    }

    /// What every request of a role carries: it comes over TLS, and from its account's place in the
    /// organization.
    pub(super) fn context(&self, role_arn: &str) -> Context {
        let context = Context::partial().with("aws:SecureTransport", "true");
        let tags = self.role(role_arn).part(|role| &role.tags);
        let tags = tags.known().into_iter().flat_map(|tags| tags.iter());
        let context = tags.fold(context, |context, (key, value)| {
            context.with(&format!("aws:PrincipalTag/{key}"), value.as_str())
        });
        let (Some(organization), Ok(role)) = (self.snapshot().organization.known(), Arn::parse(role_arn))
        else {
            return context;
        };
        let Some(account) = organization.accounts.get(role.account()) else { return context };
        let context = match &organization.id {
            Some(id) => context.with("aws:PrincipalOrgID", id.as_str()),
            None => context,
        };
        match &account.paths {
            Some(paths) => context.with_values("aws:PrincipalOrgPaths", paths.clone()),
            None => context,
        }
    }

    /// The same with what follows from who owns the resource.
    pub(super) fn of_resource_account(&self, context: Context, account: Option<&str>) -> Context {
        let Some(account) = account else { return context };
        let context = context.with("aws:ResourceAccount", account).with("s3:ResourceAccount", account);
        let organization = self.snapshot().organization.known();
        let known = organization.and_then(|it| Some((it.id.as_ref()?, it.accounts.get(account)?)));
        let Some((id, account)) = known else { return context };
        let context = context.with("aws:ResourceOrgID", id.as_str());
        match &account.paths {
            Some(paths) => context.with_values("aws:ResourceOrgPaths", paths.clone()),
            None => context,
        }
    }

    /// The service control policies over a role's account, level by level; none where they are not known.
    pub(super) fn service_control(&self, role_arn: &str) -> Vec<PolicySet<'a>> {
        let account = Arn::parse(role_arn)
            .ok()
            .and_then(|role| self.snapshot().organization.known()?.accounts.get(role.account()));
        let levels = account.into_iter().flat_map(|account| &account.service_control_policies).enumerate();
        let level = |(number, documents): (usize, &'a Vec<PolicyDocument>)| {
            let named = documents.iter().enumerate();
            PolicySet::Known(
                named
                    .map(|(at, it)| (format!("service control policy [{number}][{at}]").into(), it))
                    .collect(),
            )
        };
        levels.map(level).collect()
    }
}

/// The headers about encryption: writes carry them, reads never.
pub(super) fn encryption_headers(action: &str, key: Option<&Arn>) -> Context {
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
pub(super) fn via_s3(facts: &Facts<'_>, role_arn: &str, key: &Arn) -> Context {
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
