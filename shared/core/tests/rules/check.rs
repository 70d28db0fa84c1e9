//! A change to the corrected walkthrough, what the rules find after it, and what they can't judge.

use crosspipe_core::incident::Failure;
use crosspipe_core::rules::{Diagnostics, Facts, Finding, lint, run};
use crosspipe_core::snapshot::Snapshot;
use crosspipe_testing::authorization;
use crosspipe_testing::walkthrough::{A, BUCKET, KEY, REGION, corrected};
use serde_json::{Value, json};

use crate::pasted;

/// Where the deploy action is.
pub(crate) const DEPLOY: &str = "/pipeline/pipeline/stages/1/actions/0";

/// What adds the fixtures of one rule.
pub(crate) type Fixtures = fn(&mut Cases);

/// The fixtures of one rule, each checked as it is added.
pub(crate) struct Cases {
    rule: &'static str,
    /// How many of them the rule finds fault with.
    pub failing: usize,
    /// How many of them it accepts.
    pub passing: usize,
    /// What is not as the fixture says.
    pub problems: Vec<String>,
}

impl Cases {
    pub(crate) fn of(rule: &'static str) -> Self {
        Cases { rule, failing: 0, passing: 0, problems: vec![] }
    }

    /// What the rules find after a change, and which of them can't judge: exactly these, in this order.
    pub(crate) fn case(
        &mut self,
        what: &str,
        change: impl FnOnce(&mut Value),
        findings: &[&str],
        unknown: &[&str],
    ) -> Vec<Finding> {
        let mut snapshot = corrected();
        change(&mut snapshot);
        let judge = |snapshot: Value| lint(&Snapshot::from_value(snapshot).unwrap()).unwrap();
        let diagnostics = judge(snapshot.clone());
        self.paste(what, &diagnostics, &snapshot, judge);
        self.compare(what, diagnostics, findings, unknown)
    }

    /// The same for the deploy action after it failed with this message.
    pub(crate) fn event(
        &mut self,
        what: &str,
        message: &str,
        change: impl FnOnce(&mut Value),
        findings: &[&str],
        unknown: &[&str],
    ) -> Vec<Finding> {
        let mut snapshot = corrected();
        change(&mut snapshot);
        let judge = |snapshot: Value| {
            let snapshot = Snapshot::from_value(snapshot).unwrap();
            let pipeline = snapshot.pipeline().unwrap();
            let failure = Failure {
                pipeline: pipeline.name().to_owned(),
                account: A.to_owned(),
                pipeline_region: REGION.to_owned(),
                execution_id: "e-1".into(),
                stage: "Staging".into(),
                action: "ExternalDeploy".into(),
                error_code: Some("JobFailed".into()),
                error_message: Some(message.to_owned()),
                external_execution_id: Some("d-ABC".into()),
                ..Failure::default()
            };
            let facts = Facts::of_action(&snapshot, &pipeline, &failure.stage, &failure.action);
            run(&facts.with_failure(&failure))
        };
        let diagnostics = judge(snapshot.clone());
        self.paste(what, &diagnostics, &snapshot, judge);
        self.compare(what, diagnostics, findings, unknown)
    }

    /// Runs the script of each finding, and holds the statements of its fix against the Service Authorization Reference.
    fn paste(
        &mut self,
        what: &str,
        diagnostics: &Diagnostics,
        snapshot: &Value,
        judge: impl Fn(Value) -> Diagnostics,
    ) {
        for finding in &diagnostics.findings {
            let problem =
                pasted::problem(finding, &diagnostics.findings, snapshot, |fixed| judge(fixed).findings);
            self.problems.extend(problem.map(|it| format!("{what}: {}: {it}", finding.rule)));
            for problem in finding.statements.iter().flat_map(authorization::problems) {
                self.problems.push(format!("{what}: {}: a statement of the fix: {problem}", finding.rule));
            }
        }
    }

    /// One text of the first finding of this rule has this in it.
    pub(crate) fn says(&mut self, findings: &[Finding], parts: &[&str]) {
        let own = findings.iter().find(|finding| finding.rule.as_str() == self.rule);
        let text = own.map(|it| format!("{}\n{}\n{}\n{}", it.location, it.message, it.because, it.fix));
        for part in parts {
            if !text.as_ref().is_some_and(|text| text.contains(part)) {
                self.problems.push(format!("`{part}` is not in:\n{}", text.clone().unwrap_or_default()));
            }
        }
    }

    fn compare(
        &mut self,
        what: &str,
        diagnostics: Diagnostics,
        findings: &[&str],
        unknown: &[&str],
    ) -> Vec<Finding> {
        let found: Vec<&str> = diagnostics.findings.iter().map(|it| it.rule.as_str()).collect();
        let mut open: Vec<&str> = diagnostics.unknown.iter().map(|it| it.rule.as_str()).collect();
        open.dedup();
        self.failing += usize::from(found.contains(&self.rule));
        self.passing += usize::from(!found.contains(&self.rule) && !open.contains(&self.rule));
        if found != findings {
            let texts: Vec<String> = diagnostics
                .findings
                .iter()
                .map(|it| {
                    format!("\n  {} at {}: {}, because {}", it.rule, it.location, it.message, it.because)
                })
                .collect();
            self.problems.push(format!("{what}: finds {found:?}, not {findings:?}{}", texts.concat()));
        }
        if open != unknown {
            self.problems
                .push(format!("{what}: can't judge {open:?}, not {unknown:?}: {:?}", diagnostics.unknown));
        }
        diagnostics.findings
    }
}

/// Checks the fixtures of one rule.
#[track_caller]
pub(crate) fn assert_fixtures(rule: &'static str, fixtures: Fixtures) {
    let mut cases = Cases::of(rule);
    fixtures(&mut cases);
    assert!(cases.problems.is_empty(), "{}", cases.problems.join("\n\n"));
}

/// No change.
pub(crate) fn nothing(_: &mut Value) {}

/// Sets a value; its parent has to be there.
pub(crate) fn set(pointer: &str, value: Value) -> impl Fn(&mut Value) + use<> {
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    let (parent, member) = (parent.to_owned(), member.replace("~1", "/").replace("~0", "~"));
    move |snapshot| match snapshot.pointer_mut(&parent).unwrap_or_else(|| panic!("{parent}")) {
        Value::Array(list) => list[member.parse::<usize>().unwrap()] = value.clone(),
        object => object[&member] = value.clone(),
    }
}

/// Removes a member.
pub(crate) fn remove(pointer: &str) -> impl Fn(&mut Value) + use<> {
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    let (parent, member) = (parent.to_owned(), member.replace("~1", "/"));
    move |snapshot| {
        let parent = snapshot.pointer_mut(&parent).unwrap_or_else(|| panic!("{parent}"));
        parent.as_object_mut().unwrap().remove(&member).unwrap_or_else(|| panic!("{member}"));
    }
}

/// One change after another.
pub(crate) fn both(first: impl Fn(&mut Value), second: impl Fn(&mut Value)) -> impl Fn(&mut Value) {
    move |snapshot| {
        first(snapshot);
        second(snapshot);
    }
}

/// Sets a member of a role.
pub(crate) fn role(arn: &str, member: &str, value: Value) -> impl Fn(&mut Value) + use<> {
    set(&format!("/roles/{}/{member}", arn.replace('/', "~1")), value)
}

/// The statements of one inline policy of a role.
pub(crate) fn inline(arn: &str, policy: &str, statements: Value) -> impl Fn(&mut Value) + use<> {
    role(arn, &format!("inlinePolicies/{policy}"), document(statements))
}

/// The statements of a role's trust policy.
pub(crate) fn trust(arn: &str, statements: Value) -> impl Fn(&mut Value) + use<> {
    role(arn, "trustPolicy", document(statements))
}

/// The statements of the key policy.
pub(crate) fn key_policy(statements: Value) -> impl Fn(&mut Value) {
    set(&format!("/keys/{}/policy", KEY.replace('/', "~1")), document(statements))
}

/// The statements of the bucket policy.
pub(crate) fn bucket_policy(statements: Value) -> impl Fn(&mut Value) {
    set(&format!("/buckets/{BUCKET}/policy"), document(statements))
}

/// One more statement of the bucket policy.
pub(crate) fn bucket_statement(statement: Value) -> impl Fn(&mut Value) {
    move |snapshot| {
        let statements = &mut snapshot["buckets"][BUCKET]["policy"]["Statement"];
        statements.as_array_mut().unwrap().push(statement.clone());
    }
}

/// Makes the deploy action one of another provider.
pub(crate) fn provider(category: &str, provider: &str, configuration: Value) -> impl Fn(&mut Value) + use<> {
    let kind = json!({"category": category, "owner": "AWS", "version": "1", "provider": provider});
    both(set(&format!("{DEPLOY}/actionTypeId"), kind), set(&format!("{DEPLOY}/configuration"), configuration))
}

/// Gives the deploy action an output artifact.
pub(crate) fn with_output() -> impl Fn(&mut Value) {
    set(&format!("{DEPLOY}/outputArtifacts"), json!([{"name": "Report"}]))
}

/// A statement that allows a principal; without one it is an identity policy's.
pub(crate) fn allow(principal: Option<&str>, action: Value, resource: &str) -> Value {
    let mut statement = json!({"Effect": "Allow", "Action": action, "Resource": resource});
    if let Some(principal) = principal {
        statement["Principal"] = json!({ "AWS": principal });
    }
    statement
}

pub(crate) fn document(statements: Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}
