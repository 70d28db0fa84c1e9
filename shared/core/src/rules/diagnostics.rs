//! What rules report, and through what.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;
use serde_json::Value;

use super::{Rule, RuleId, Subject};
use crate::arn::bucket_of;
use crate::evaluation::Side;
use crate::policy::terraform::statement_block;

/// Everything that the rules said.
#[derive(Debug, Default)]
pub struct Diagnostics {
    /// Proven faults.
    pub findings: Vec<Finding>,
    /// What could not be judged.
    pub unknown: Vec<Unknown>,
    /// Rule, location, message and reason of each finding: looking for them in the findings would take the square of
    /// their number.
    stated: HashSet<(RuleId, String, String, String)>,
}

/// Through which one rule reports.
#[derive(Debug)]
pub struct RuleContext<'d> {
    rule: &'static Rule,
    diagnostics: &'d mut Diagnostics,
}

/// How bad a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Works, but not as it should.
    Warning,
    /// The action will fail.
    Error,
}

/// How a fix shows the statements to add.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StatementForm {
    /// As AWS takes them.
    #[default]
    Json,
    /// As blocks of Terraform's `aws_iam_policy_document`.
    Terraform,
}

/// A proven fault.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// The rule's id.
    pub rule: RuleId,
    /// The rule's name.
    pub name: &'static str,
    /// What the rule is about.
    #[serde(skip)]
    pub subject: Subject,
    /// How bad it is.
    pub severity: Severity,
    /// Where: a path into the snapshot or the pipeline.
    pub location: String,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What shows it.
    pub because: String,
    /// What to do, ready to paste: a summary, the statements that are missing, a script, a template. Blank
    /// lines are between these parts only.
    pub fix: String,
    /// The statements that are missing, where some are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<Value>,
    /// Where AWS says so.
    pub docs: &'static str,
    /// How the fix shows them.
    #[serde(skip)]
    pub statement_form: StatementForm,
    /// The first part of the fix, in one sentence.
    #[serde(skip)]
    pub summary: String,
    /// The script of the fix.
    #[serde(skip)]
    pub command: Option<String>,
    /// The Crosspipe resource, or parameters of its template, that do it and keep it so.
    #[serde(skip)]
    pub crosspipe: Option<String>,
    /// The requests that the evaluation denies.
    #[serde(skip)]
    pub denied: Vec<Denied>,
    /// Whether AWS's message says it, of this very request.
    #[serde(skip)]
    pub is_told: bool,
}

impl Finding {
    /// The fix without its script: what to do in one sentence, and the statements to add.
    pub fn short_fix(&self) -> String {
        let statements = statements_text(&self.statements, self.statement_form);
        join_parts([Some(self.summary.clone()), statements])
    }

    /// The finding with its statements in this form. Scripts stay as they are: they hand AWS its own JSON.
    #[must_use]
    pub fn with_statement_form(self, statement_form: StatementForm) -> Self {
        let finding = Self { statement_form, ..self };
        let fix = join_parts([Some(finding.short_fix()), finding.script()]);
        Self { fix, ..finding }
    }

    /// The rest of the fix: the script, and the Crosspipe resource that does the same. None where the fix has neither.
    pub fn script(&self) -> Option<String> {
        let script = join_parts([self.command.clone(), self.crosspipe.as_deref().map(crosspipe_text)]);
        Some(script).filter(|script| !script.is_empty())
    }
}

/// A request that the evaluation denies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// Who asks.
    pub principal: String,
    /// The action, `kms:Decrypt`.
    pub action: String,
    /// The resource's ARN.
    pub resource: String,
    /// The side that does not let it pass.
    pub side: Side,
    /// Whether a statement denies it; otherwise none allows it.
    pub explicit: bool,
}

impl Denied {
    /// The bucket that it is about, where it is about one.
    pub fn bucket(&self) -> Option<&str> {
        bucket_of(&self.resource)
    }
}

/// A rule that could not judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unknown {
    /// The rule's id.
    pub rule: RuleId,
    /// The part of the snapshot that would settle it.
    pub missing: String,
}

impl Unknown {
    /// The rules that could not judge, by the part of the snapshot that they miss.
    pub fn by_missing_part(unknown: &[Unknown]) -> BTreeMap<&str, Vec<&'static str>> {
        let mut parts: BTreeMap<&str, Vec<&'static str>> = BTreeMap::new();
        for Unknown { rule, missing } in unknown {
            parts.entry(missing).or_default().push(rule.as_str());
        }
        parts
    }
}

/// What to do about a fault.
#[derive(Debug, Clone, Default)]
pub struct Fix {
    /// In one sentence.
    pub summary: String,
    /// The statements to add, where some are missing.
    pub statements: Vec<Value>,
    /// The Crosspipe resource, or parameters of its template, that do it and keep it so.
    pub crosspipe: Option<String>,
    /// AWS CLI commands that do it now, or show what there is to choose from.
    pub command: Option<String>,
}

/// A fault as a rule states it.
#[derive(Debug, Clone, Default)]
pub(super) struct Fault {
    pub location: String,
    pub message: String,
    pub because: String,
    pub fix: Fix,
    pub denied: Vec<Denied>,
    /// Where it is another one than the rule's.
    pub severity: Option<Severity>,
    /// Whether AWS's message says it, of this very request.
    pub is_told: bool,
}

impl Diagnostics {
    /// A denial that the message names and the policies show is told by the rule that shows it. `told` is who was
    /// denied which action, by what the message says.
    pub(super) fn drop_denials_shown_by_other_rules(&mut self, told: Option<(&str, &str)>) {
        let shown: Vec<Denied> = self
            .findings
            .iter()
            .filter(|finding| !finding.subject.repeats_message())
            .flat_map(|finding| finding.denied.clone())
            .collect();
        let same = |a: &Denied, b: &Denied| {
            a.principal == b.principal && a.action.eq_ignore_ascii_case(&b.action) && a.side == b.side
        };
        self.findings.retain(|finding| {
            let is_shown = |denied: &Denied| shown.iter().any(|shown| same(denied, shown));
            !finding.subject.repeats_message() || !finding.denied.iter().any(is_shown)
        });
        let is_told = |it: &Denied| {
            told.is_some_and(|(who, what)| it.principal == who && it.action.eq_ignore_ascii_case(what))
        };
        if shown.iter().any(is_told) {
            self.findings.retain(|finding| !finding.is_told || !finding.denied.is_empty());
        }
    }
}

impl<'d> RuleContext<'d> {
    /// The context of a rule, which reports into these diagnostics.
    pub(super) fn new(rule: &'static Rule, diagnostics: &'d mut Diagnostics) -> Self {
        RuleContext { rule, diagnostics }
    }

    /// Reports a fault. The same fault of the same place is reported once.
    pub(super) fn report(&mut self, fault: Fault) {
        let rule = self.rule;
        let finding = Finding {
            rule: rule.id,
            name: rule.name,
            subject: rule.subject,
            severity: fault.severity.unwrap_or(rule.severity),
            location: fault.location,
            message: fault.message,
            because: fault.because,
            fix: fault.fix.to_text(),
            statements: fault.fix.statements,
            statement_form: StatementForm::Json,
            summary: fault.fix.summary,
            command: fault.fix.command,
            crosspipe: fault.fix.crosspipe,
            docs: rule.sources.first().copied().unwrap_or_default(),
            denied: fault.denied,
            is_told: fault.is_told,
        };
        let identity =
            (finding.rule, finding.location.clone(), finding.message.clone(), finding.because.clone());
        if self.diagnostics.stated.insert(identity) {
            self.diagnostics.findings.push(finding);
        }
    }

    /// Says which part of the snapshot would have to be known.
    pub(super) fn unknown(&mut self, missing: impl Into<String>) {
        let unknown = Unknown { rule: self.rule.id, missing: missing.into() };
        if !self.diagnostics.unknown.contains(&unknown) {
            self.diagnostics.unknown.push(unknown);
        }
    }
}

impl Fix {
    fn to_text(&self) -> String {
        let crosspipe = self.crosspipe.as_deref().map(crosspipe_text);
        join_parts([
            Some(self.summary.clone()),
            statements_text(&self.statements, StatementForm::Json),
            self.command.clone(),
            crosspipe,
        ])
    }
}

fn join_parts(parts: impl IntoIterator<Item = Option<String>>) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

fn statements_text(statements: &[Value], form: StatementForm) -> Option<String> {
    let json = |statement: &Value| format!("{statement:#}");
    let text = match form {
        StatementForm::Json => statements.iter().map(json).collect::<Vec<_>>().join(",\n"),
        StatementForm::Terraform => statements.iter().map(statement_block).collect::<Vec<_>>().join("\n"),
    };
    (!text.is_empty()).then_some(text)
}

fn crosspipe_text(resource: &str) -> String {
    format!("or let Crosspipe do it and keep it so:\n\n{resource}")
}
