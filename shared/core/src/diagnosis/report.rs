//! The report: what failed, why, and what to do.
//!
//! The JSON is the detail of the events that the failure reporter puts on EventBridge; its shape is
//! versioned by `schemaVersion`.

use serde::Serialize;
use serde_json::{Map, Value};

use super::links;
use super::rank::{Confidence, Ranked, cause};
use crate::incident::evidence::TargetFailure;
use crate::incident::{Failure, Incident};
use crate::rules::{RuleId, StatementForm, Unknown};

/// Lines on what could not be read; one missing permission mostly explains them all.
const NOT_READ: usize = 10;

/// A diagnosed failure.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// `"1"`.
    pub schema_version: &'static str,
    /// The pipeline's name.
    pub pipeline: String,
    /// The pipeline execution's id.
    pub execution_id: String,
    /// The action execution's id.
    pub action_execution_id: String,
    /// The stage's name.
    pub stage: String,
    /// The action's name.
    pub action: String,
    /// The action's provider.
    pub provider: String,
    /// The pipeline's account.
    pub pipeline_account: String,
    /// The target account.
    pub target_account: String,
    /// The action's Region.
    pub region: String,
    /// The failure in one line.
    pub headline: String,
    /// The finding that explains it best; null where none does.
    pub root_cause: Option<RootCause>,
    /// Every finding, the best explanation first.
    pub findings: Vec<Ranked>,
    /// What could not be judged, and what is missing for it.
    pub unknown: Vec<Unknown>,
    /// The provider's own details.
    pub deployment: Deployment,
    /// Console pages: `execution`, and where they are known `switchRole`, `provider`, `logs`.
    pub links: Map<String, Value>,
    /// What was, or could be, done about it.
    pub remediation: Remediation,
    /// The pipeline's ARN.
    #[serde(skip)]
    pub pipeline_arn: String,
}

/// The finding that explains a failure best.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RootCause {
    /// The rule's id.
    pub rule: RuleId,
    /// How certain it is that this is the cause.
    pub confidence: Confidence,
    /// What is wrong.
    pub message: String,
    /// What shows it.
    pub because: String,
    /// What to do.
    pub fix: String,
}

/// What the provider says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// The provider's id of what failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_execution_id: Option<String>,
    /// CodePipeline's error code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// CodePipeline's error message, or the provider's summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// What has become of a later attempt at the same action in the same execution, `Succeeded`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retried_since: Option<String>,
    /// Why it failed, in the provider's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where it failed: the first five targets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<TargetFailure>,
    /// What could not be read, and why: the first ten lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_read: Vec<String>,
}

/// What was, or could be, done about a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remediation {
    /// `off`, `propose` or `apply`.
    pub mode: &'static str,
    /// What was done, one sentence each; what is left to do, ready to paste.
    pub steps: Vec<String>,
    /// The outcome.
    pub outcome: Outcome,
}

/// The outcome of a remediation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "&'static str")]
pub enum Outcome {
    /// Nothing was attempted: remediation is off, or no custom resource could resolve a finding.
    NotAttempted,
    /// It was attempted for this execution before, and is attempted once only.
    AlreadyAttempted,
    /// No custom resource owns what is missing. Nothing was changed.
    NothingOwned,
    /// Everything that custom resources own there is in place. Nothing was changed.
    Unchanged,
    /// What custom resources own was put back, and the finding is resolved. Nothing was retried.
    Reapplied,
    /// Put back and resolved, and the failed actions were retried.
    Retried,
    /// Put back and resolved, but CodePipeline refused to retry the actions.
    RetryRefused,
    /// It could not be put back, or the finding was not resolved.
    Failed,
}

impl Outcome {
    /// As in the report.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::NotAttempted => "notAttempted",
            Outcome::AlreadyAttempted => "alreadyAttempted",
            Outcome::NothingOwned => "nothingOwned",
            Outcome::Unchanged => "unchanged",
            Outcome::Reapplied => "reapplied",
            Outcome::Retried => "retried",
            Outcome::RetryRefused => "retryRefused",
            Outcome::Failed => "failed",
        }
    }

    /// Whether the findings are resolved.
    pub fn is_remediated(self) -> bool {
        matches!(self, Outcome::Reapplied | Outcome::Retried | Outcome::RetryRefused)
    }
}

impl From<Outcome> for &'static str {
    fn from(outcome: Outcome) -> Self {
        outcome.word()
    }
}

impl Remediation {
    /// Nothing is proposed beside the fix of each finding.
    pub fn off() -> Self {
        Remediation { mode: "off", steps: vec![], outcome: Outcome::NotAttempted }
    }

    /// The fix of every finding is a step.
    pub fn propose() -> Self {
        Remediation { mode: "propose", ..Remediation::off() }
    }

    /// Remediation is on, and nothing was attempted yet.
    pub fn apply() -> Self {
        Remediation { mode: "apply", ..Remediation::off() }
    }
}

impl Report {
    /// Puts a report on a failed action together; `findings` come ranked.
    pub(super) fn new(
        incident: &Incident<'_>,
        target_account: &str,
        findings: Vec<Ranked>,
        unknown: Vec<Unknown>,
        remediation: Remediation,
    ) -> Self {
        let failure = incident.failure;
        let root_cause = cause(&findings).map(RootCause::of);
        let headline = headline(incident, target_account, root_cause.as_ref(), !findings.is_empty());
        let links = links::pages_of(failure, &incident.action, target_account);
        Self::of_failure(failure, (headline, links), target_account, findings, unknown, remediation)
    }

    /// Puts a report on a stage together that failed by a condition. It is of the pipeline's own account.
    pub(super) fn of_condition(failure: &Failure, findings: Vec<Ranked>, remediation: Remediation) -> Self {
        let Failure { pipeline, stage, action, provider, account, .. } = failure;
        let headline = format!(
            "Pipeline {pipeline}: stage {stage} failed by a condition: its rule {action} ({provider}) was not met or could not run"
        );
        let links = links::page_of_execution(failure);
        Self::of_failure(failure, (headline, links), account, findings, vec![], remediation)
    }

    fn of_failure(
        failure: &Failure,
        (headline, links): (String, Map<String, Value>),
        target_account: &str,
        findings: Vec<Ranked>,
        unknown: Vec<Unknown>,
        mut remediation: Remediation,
    ) -> Self {
        if remediation.mode != "off" {
            remediation.steps = findings.iter().map(|ranked| ranked.finding.fix.clone()).collect();
        }
        let root_cause = cause(&findings).map(RootCause::of);
        Report {
            schema_version: "1",
            pipeline: failure.pipeline.clone(),
            execution_id: failure.execution_id.clone(),
            action_execution_id: failure.action_execution_id.clone(),
            stage: failure.stage.clone(),
            action: failure.action.clone(),
            provider: failure.provider.clone(),
            pipeline_account: failure.account.clone(),
            target_account: target_account.to_owned(),
            region: failure.region.clone(),
            headline,
            root_cause,
            findings,
            unknown,
            deployment: Deployment {
                external_execution_id: failure.external_execution_id.clone(),
                error_code: failure.error_code.clone(),
                error_message: Some(failure.message().to_owned()).filter(|message| !message.is_empty()),
                retried_since: failure.retried.clone(),
                reason: None,
                failures: vec![],
                not_read: vec![],
            },
            links,
            pipeline_arn: failure.pipeline_arn(),
            remediation,
        }
    }

    /// Records what was done, and its outcome in the headline. Proposed steps stay where nothing was resolved.
    pub fn record_remediation(&mut self, steps: Vec<String>, outcome: Outcome) {
        let proposed = std::mem::replace(&mut self.remediation.steps, steps);
        if !outcome.is_remediated() {
            self.remediation.steps.extend(proposed);
        }
        self.remediation.outcome = outcome;
        self.headline.push_str(match outcome {
            Outcome::NotAttempted | Outcome::NothingOwned | Outcome::Unchanged => "",
            Outcome::AlreadyAttempted => "; remediation was attempted before",
            Outcome::Reapplied => "; what was missing was put back",
            Outcome::Retried => "; what was missing was put back, and the failed actions were retried",
            Outcome::RetryRefused => "; what was missing was put back, and a new execution has to be started",
            Outcome::Failed => "; remediation failed",
        });
    }

    /// What was done, one sentence each. Changes that are only proposed are with their findings already.
    pub fn remediation_steps(&self) -> Vec<&str> {
        let proposed = |step: &&String| self.findings.iter().any(|ranked| ranked.finding.fix == **step);
        self.remediation.steps.iter().filter(|step| !proposed(step)).map(String::as_str).collect()
    }
}

impl Report {
    /// Adds the page on which people assume this role in the target account; its other pages need that.
    pub fn add_switch_role(&mut self, role_name: &str) {
        let url = links::switch_role(&self.target_account, role_name, &self.region);
        // Before the pages that it opens.
        let at = self.links.keys().take_while(|name| *name == "execution").count();
        self.links.shift_insert(at, "switchRole".to_owned(), Value::String(url));
    }

    /// Adds the provider's details, and what could not be read of them.
    pub(super) fn add(&mut self, incident: &Incident<'_>, mut not_read: Vec<String>) {
        not_read.truncate(NOT_READ);
        let details = incident.details.clone();
        self.deployment.reason = details.reason;
        self.deployment.failures = details.failures;
        self.deployment.not_read = not_read;
        self.links.extend(details.log.map(|url| ("logs".to_owned(), Value::String(url))));
    }

    /// The report with the statements of its fixes in this form.
    #[must_use]
    pub fn with_statement_form(mut self, form: StatementForm) -> Self {
        let findings = std::mem::take(&mut self.findings).into_iter();
        let in_form = |it: Ranked| Ranked { finding: it.finding.with_statement_form(form), ..it };
        self.findings = findings.map(in_form).collect();
        self.root_cause = self.cause().map(RootCause::of);
        self
    }

    /// The finding that is the root cause; none where no finding explains the failure.
    pub fn cause(&self) -> Option<&Ranked> {
        cause(&self.findings)
    }

    /// The other findings, the likeliest first.
    pub fn further(&self) -> impl Iterator<Item = &Ranked> {
        self.findings.iter().skip(usize::from(self.cause().is_some()))
    }
}

impl RootCause {
    fn of(ranked: &Ranked) -> Self {
        let finding = &ranked.finding;
        RootCause {
            rule: finding.rule,
            confidence: ranked.confidence,
            message: finding.message.clone(),
            because: finding.because.clone(),
            fix: finding.fix.clone(),
        }
    }
}

fn headline(
    incident: &Incident<'_>,
    target_account: &str,
    cause: Option<&RootCause>,
    has_findings: bool,
) -> String {
    let failure: &Failure = incident.failure;
    let what = format!(
        "Pipeline {}: {} ({}) failed in account {target_account}",
        failure.pipeline, failure.action, failure.provider
    );
    // Without a cause of ours, AWS's own words say the most.
    let reason = Some(in_short(&incident.reason)).filter(|reason| !reason.is_empty());
    let reason = reason.map(|reason| format!(", and AWS says: {reason}")).unwrap_or_default();
    match cause.map(|cause| (cause.confidence, &cause.message)) {
        Some((Confidence::Confirmed, message)) => format!("{what}: {message}"),
        Some((Confidence::Likely, message)) => format!("{what}, most likely because {message}"),
        Some((Confidence::Possible, message)) => format!("{what}{reason}; one fault was found: {message}"),
        None if has_findings => format!("{what}{reason}; what was found does not explain it"),
        None => format!("{what}{reason}; no fault was found in what could be read"),
    }
}

/// Characters of a reason in a headline.
const REASON: usize = 240;

/// A reason on one line, without request ids, cut where it is long.
fn in_short(reason: &str) -> String {
    let line = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.split("; Request ID:").next().unwrap_or(&line).to_owned();
    let line = if line.contains("(Service:") && !line.ends_with(')') { line + ")" } else { line };
    match line.char_indices().nth(REASON) {
        Some((at, _)) => format!("{} …", line.get(..at).unwrap_or_default().trim_end()),
        None => line,
    }
}
