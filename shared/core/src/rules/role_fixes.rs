//! What to do about what a role's own policies or a key's policy refuse.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::access_result::AccessResult;
use super::action_facts::ActionFacts;
use super::commands::{in_region, option, quoted, role, show};
use super::diagnostics::Fix;
use super::documents::Document;
use super::facts::Facts;
use super::fix_statements::{key_statement, use_statements};
use crate::arn::Arn;
use crate::pipeline::Store;
use crate::policy::PolicyDocument;
use crate::providers::Provider;

/// The fix of what a role's own policies refuse, or its boundary: adding to an inline policy helps neither
/// against a boundary nor against a statement that denies.
pub(super) fn own(
    judgement: &AccessResult,
    role_arn: &str,
    policy: &str,
    statements: Vec<Value>,
    crosspipe: Option<String>,
) -> Fix {
    let (account, name) = role(role_arn);
    let name = option("role-name", &name);
    let place = match &account {
        Some(account) => format!("{} of {role_arn} in account {account}", judgement.what()),
        None => format!("{} of {role_arn}", judgement.what()),
    };
    let denying = judgement.denying();
    if let Some(owner) = shared_by(role_arn).filter(|_| !judgement.is_of_boundary()) {
        let change = if denying.is_empty() {
            format!("{place} needs {}", these(&statements))
        } else {
            format!("what denies it, {denying}, is in {place}")
        };
        let summary = format!(
            "{change}; the role is of {owner} and others use it: change it there, or give the action a role of its own"
        );
        let listed = format!("aws iam list-role-policies {name}\naws iam list-attached-role-policies {name}");
        let statements = if denying.is_empty() { statements } else { vec![] };
        return Fix {
            summary,
            statements,
            command: Some(show(account.as_deref(), &listed)),
            crosspipe: None,
        };
    }
    if !denying.is_empty() {
        let listed = format!("aws iam list-role-policies {name}\naws iam list-attached-role-policies {name}");
        return Fix {
            summary: format!("remove or narrow what denies it, {denying}, in {place}"),
            command: Some(show(account.as_deref(), &listed)),
            ..Fix::default()
        };
    }
    let summary = format!("add {} to {place}", these(&statements));
    if judgement.is_of_boundary() {
        let arn = format!(
            "$(aws iam get-role {name} --query Role.PermissionsBoundary.PermissionsBoundaryArn --output text)"
        );
        let version =
            "$(aws iam get-policy --policy-arn \"$boundary\" --query Policy.DefaultVersionId --output text)";
        let shown = format!(
            "boundary={arn}\naws iam get-policy-version --policy-arn \"$boundary\" --version-id \"{version}\" --query PolicyVersion.Document"
        );
        let command = Some(show(account.as_deref(), &shown));
        return Fix { summary, statements, command, crosspipe: None };
    }
    let command = Some(Document::role_policy(role_arn, policy).add(&statements));
    Fix { summary, statements, command, crosspipe }
}

/// The fix of a key policy that shuts a role out: an exemption where a statement denies, else a statement that
/// lets `principal` in, the role or its account.
pub(super) fn key(
    facts: &Facts<'_>,
    key: &Arn,
    judgement: &AccessResult,
    (role_arn, principal): (&str, &str),
    crosspipe: String,
) -> Fix {
    let policy = facts.key(key.as_str()).part(|key| &key.policy);
    let place = (format!("the policy of `{key}` in account {}", key.account()), policy.known());
    let statements = vec![key_statement(key, Some(principal))];
    let fix = letting_in(facts, role_arn, judgement, place, &Document::key_policy(key), statements);
    // A grant adds statements, which does not help against one that denies.
    let helps = !fix.statements.is_empty();
    Fix { crosspipe: helps.then_some(crosspipe), ..fix }
}

/// The fix of the policy of a key that is no artifact key and shuts a role out.
pub(super) fn key_of_other(facts: &Facts<'_>, key: &Arn, result: &AccessResult, role_arn: &str) -> Fix {
    let policy = facts.key(key.as_str()).part(|key| &key.policy);
    let place = (format!("the policy of `{key}` in account {}", key.account()), policy.known());
    letting_in(
        facts,
        role_arn,
        result,
        place,
        &Document::key_policy(key),
        vec![key_statement(key, Some(role_arn))],
    )
}

/// The fix for a role that can't use a store's artifacts as itself: in its own policies, in the bucket's, and in the
/// key's, wherever it is refused.
pub(super) fn using<'a>(
    facts: &Facts<'a>,
    store: &Store<'a>,
    writes: bool,
    role: &str,
    [own, bucket, key]: [&AccessResult; 3],
    crosspipe: Option<String>,
) -> Fix {
    let of_service = |service: &'static str| {
        move |statement: &Value| statement.get("Action").is_some_and(|it| it.to_string().contains(service))
    };
    let of = |principal, service| -> Vec<Value> {
        use_statements(facts, store, writes, principal).into_iter().filter(of_service(service)).collect()
    };
    let mut fixes = vec![];
    if !own.is_clear() {
        fixes.push(self::own(own, role, "PipelineArtifacts", of(None, ""), None));
    }
    if !bucket.is_clear() {
        let policy = facts.bucket(store.bucket()).part(|bucket| &bucket.policy);
        let place = (format!("the policy of bucket `{}`", store.bucket()), policy.known());
        let document = Document::bucket_policy(facts, store.bucket());
        fixes.push(letting_in(facts, role, bucket, place, &document, of(Some(role), "s3:")));
    }
    if let Some(arn) = facts.key_of(store).filter(|_: &Arn| !key.is_clear()) {
        let policy = facts.key(arn.as_str()).part(|key| &key.policy);
        let place = (format!("the policy of `{arn}`"), policy.known());
        let document = Document::key_policy(&arn);
        fixes.push(letting_in(facts, role, key, place, &document, of(Some(role), "kms:")));
    }
    let summaries: Vec<String> = fixes.iter().map(|fix| fix.summary.clone()).collect();
    let commands: Vec<String> = fixes.iter().filter_map(|fix| fix.command.clone()).collect();
    Fix {
        summary: summaries.join("; and "),
        statements: fixes.into_iter().flat_map(|fix| fix.statements).collect(),
        command: Some(commands.join("\n")).filter(|it| !it.is_empty()),
        crosspipe,
    }
}

/// The fix of a resource's policy that shuts a role out.
fn letting_in(
    facts: &Facts<'_>,
    role_arn: &str,
    judgement: &AccessResult,
    (place, policy): (String, Option<&&PolicyDocument>),
    document: &Document,
    statements: Vec<Value>,
) -> Fix {
    let denying = policy.map(|policy| judgement.denying_of(policy)).unwrap_or_default();
    if denying.is_empty() {
        let summary = format!("add {} to {place}", these(&statements));
        let command = Some(document.add(&statements));
        return Fix { summary, statements, command, crosspipe: None };
    }
    Fix {
        summary: format!("exempt {role_arn} from {} of {place}", judgement.denying()),
        command: Some(document.exempt(&denying, &exemption(facts, &[role_arn]))),
        ..Fix::default()
    }
}

/// What the `Condition` of a statement that denies has to say so that it spares these roles. Where CodeDeploy
/// deploys to instances whose roles nobody knows, their account is spared: what shuts out the one shuts out the
/// others.
pub(super) fn exemption(facts: &Facts<'_>, roles: &[&str]) -> Value {
    let unknown = facts.snapshot().instance_roles.is_unknown();
    let accounts_of = |role: &str| {
        let mut actions = facts.cross_account_actions();
        let deploys = actions.find(|it| it.role_arn() == role && it.provider() == Provider::CodeDeploy);
        deploys.filter(|_| unknown).map(|it| it.account)
    };
    let accounts: BTreeSet<&str> = roles.iter().filter_map(|role| accounts_of(role)).collect();
    let roles: Vec<&&str> = roles.iter().filter(|role| accounts_of(role).is_none()).collect();
    let by_arn =
        (!roles.is_empty()).then(|| ("ArnNotEquals".to_owned(), json!({ "aws:PrincipalArn": roles })));
    let by_account = (!accounts.is_empty())
        .then(|| ("StringNotEquals".to_owned(), json!({ "aws:PrincipalAccount": accounts })));
    by_arn.into_iter().chain(by_account).collect()
}

/// Who else uses a role that a framework has made for all that it deploys, by the name that it gives to such roles:
/// no script changes it.
pub(super) fn shared_by(role_arn: &str) -> Option<&'static str> {
    let arn = Arn::parse(role_arn).ok()?;
    let name = arn.role_name()?;
    let cdk = name.strip_prefix("cdk-").is_some_and(|rest| rest.contains("-role-"));
    if cdk {
        Some("the CDK's bootstrap stack")
    } else if name.starts_with("adf-") {
        Some("the AWS Deployment Framework")
    } else if name.starts_with("AWSControlTower") || name == "OrganizationAccountAccessRole" {
        Some("the organization")
    } else {
        None
    }
}

/// The script that changes a role, unless others use it, too.
pub(super) fn unless_shared(role_arn: &str, script: String) -> Option<String> {
    shared_by(role_arn).is_none().then_some(script)
}

fn these(statements: &[Value]) -> &'static str {
    if statements.len() == 1 { "this statement" } else { "these statements" }
}

/// Shows the roles of the task definition that is in use, for a human to choose.
pub(super) fn task_definition(action: &ActionFacts<'_>) -> String {
    let of = |key| quoted(action.action.configuration(key).unwrap_or(key));
    let (region, service) = (in_region(action.region()), of("ServiceName"));
    let look = format!(
        "aws ecs describe-task-definition{region} --query 'taskDefinition.[taskRoleArn,executionRoleArn]' --task-definition \
         \"$(aws ecs describe-services{region} --cluster {} --services {service} --query 'services[0].taskDefinition' --output text)\"",
        of("ClusterName")
    );
    show(Some(action.account), &look)
}
