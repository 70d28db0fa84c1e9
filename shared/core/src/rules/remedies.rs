//! What to do about what a role's own policies or a key's policy refuse.

use serde_json::Value;

use super::access::{key_statement, read_statements};
use super::commands::{in_region, option, quoted, role, show};
use super::documents::Document;
use super::facts::{ActionFacts, Facts};
use super::judgement::Judgement;
use super::verdicts::Fix;
use crate::arn::Arn;

/// The fix of what a role's own policies refuse, or its boundary: adding to an inline policy helps neither
/// against a boundary nor against a statement that denies.
pub(super) fn own(
    judgement: &Judgement,
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
    if !denying.is_empty() {
        let listed = format!("aws iam list-role-policies {name}\naws iam list-attached-role-policies {name}");
        return Fix {
            summary: format!("remove or narrow what denies it, {denying}, in {place}"),
            command: Some(show(account.as_deref(), &listed)),
            ..Fix::default()
        };
    }
    let these = if statements.len() == 1 { "this statement" } else { "these statements" };
    let summary = format!("add {these} to {place}");
    if judgement.is_of_boundary() {
        let shown = format!("aws iam get-role {name} --query Role.PermissionsBoundary");
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
    judgement: &Judgement,
    (role_arn, principal): (&str, &str),
    crosspipe: String,
) -> Fix {
    let document = Document::key_policy(key);
    let policy = facts.key(key.as_str()).part(|key| &key.policy);
    let denying = policy.known().map(|policy| judgement.denying_of(policy)).unwrap_or_default();
    if !denying.is_empty() {
        return Fix {
            summary: format!("exempt {role_arn} from {} of `{key}`", judgement.denying()),
            command: Some(document.exempt(&denying, &[role_arn])),
            ..Fix::default()
        };
    }
    let statements = vec![key_statement(key, Some(principal))];
    Fix {
        summary: format!("add this statement to the policy of `{key}` in account {}", key.account()),
        command: Some(document.add(&statements)),
        statements,
        crosspipe: Some(crosspipe),
    }
}

/// The fix for a role that can't read an action's inputs as itself: in its own policies, in the bucket's, and in
/// the key's, wherever it is refused.
pub(super) fn reading(
    action: &ActionFacts<'_>,
    role: &str,
    [own, bucket, key]: [&Judgement; 3],
    crosspipe: Option<String>,
) -> Fix {
    let is_of_key =
        |statement: &Value| statement.get("Action").is_some_and(|it| it.to_string().contains("kms:"));
    let (mut places, mut statements, mut commands) = (vec![], vec![], vec![]);
    if !own.is_clear() {
        let missing = read_statements(action, None);
        places.push(format!("the policies of {role}"));
        commands.push(Document::role_policy(role, "PipelineArtifacts").add(&missing));
        statements.extend(missing);
    }
    let (of_key, of_bucket): (Vec<Value>, Vec<Value>) =
        read_statements(action, Some(role)).into_iter().partition(is_of_key);
    if let Some(store) = action.store().filter(|_| !bucket.is_clear()) {
        places.push("the bucket policy".to_owned());
        commands.push(Document::bucket_policy(action.facts(), store.bucket()).add(&of_bucket));
        statements.extend(of_bucket);
    }
    if let Some(arn) = action.key_arn().filter(|_: &Arn| !key.is_clear()) {
        places.push("the key policy".to_owned());
        commands.push(Document::key_policy(&arn).add(&of_key));
        statements.extend(of_key);
    }
    Fix {
        summary: format!("add these statements to {}", places.join(" and ")),
        statements,
        command: Some(commands.join("\n")).filter(|it| !it.is_empty()),
        crosspipe,
    }
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
