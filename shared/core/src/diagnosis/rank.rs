//! Which finding explains the failure, and how surely.
//!
//! A finding is *confirmed* where message and policies agree: AWS names the request and the side, and the
//! policies show that this side refuses it; or the message leaves it open, and of all that could explain it
//! there is one fault, and nothing that could not be looked at. It is *likely* where the message fits and is
//! not as clear, and *possible* where the fault is there and the message says nothing of it.

use std::cmp::Reverse;

use serde::Serialize;

use super::agreement::Agreement;
use crate::incident::Incident;
use crate::incident::message::{Denial, ErrorSignature, PolicyKind};
use crate::providers::Provider;
use crate::rules::{Denied, Finding, Fit, RuleId, Severity, Subject, Unknown};

/// How surely a finding is the cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// The error message and the evaluation of the live policies agree.
    Confirmed,
    /// The message fits the fault, without naming it.
    Likely,
    /// A fault is there, and the message says nothing of it.
    Possible,
}

impl Confidence {
    /// As the JSON has it: `confirmed`, `likely` or `possible`.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Confirmed => "confirmed",
            Confidence::Likely => "likely",
            Confidence::Possible => "possible",
        }
    }
}

/// A finding and how surely it is the cause.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ranked {
    /// How surely it is the cause.
    pub confidence: Confidence,
    /// Whether it can't be the cause, going by what AWS answered: it is a fault all the same.
    #[serde(skip)]
    pub ruled_out: bool,
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
}

/// What findings are held against.
#[derive(Debug)]
pub(super) struct Evidence<'a> {
    /// What failed, and what was said about it.
    pub incident: &'a Incident<'a>,
    /// What could not be judged.
    pub unknown: &'a [Unknown],
    /// The bucket that the failed action has its artifacts from.
    pub artifact_bucket: Option<&'a str>,
}

/// Orders findings by how surely they are the cause; among equals, what the action needs first comes first.
pub(super) fn rank(findings: Vec<Finding>, evidence: &Evidence<'_>) -> Vec<Ranked> {
    let confidences: Vec<Confidence> =
        findings.iter().map(|finding| evidence.confidence(finding, &findings)).collect();
    let names_other_reason = |it: &Finding| names(it.rule, &ErrorSignature::NotPermission);
    let is_read = !evidence.incident.claims.contains(&ErrorSignature::OtherMatter);
    let other_reason = is_read && findings.iter().any(names_other_reason);
    let rank = |(confidence, finding): (Confidence, Finding)| {
        let ruled_out = evidence.rules_out(&finding, confidence, other_reason);
        let confidence = if ruled_out { Confidence::Possible } else { confidence };
        Ranked { confidence, ruled_out, finding }
    };
    let mut ranked: Vec<Ranked> = confidences.into_iter().zip(findings).map(rank).collect();
    // What the policies show comes before what AWS's message alone says.
    let is_told = |it: &Ranked| it.finding.is_told && it.finding.denied.is_empty();
    ranked.sort_by_key(|it| {
        (it.ruled_out, it.confidence, is_told(it), Reverse(it.finding.severity), it.finding.subject)
    });
    ranked
}

/// The finding that explains the failure best. What works though it should not be so is no explanation unless
/// the message points at it.
pub(super) fn cause(ranked: &[Ranked]) -> Option<&Ranked> {
    let explains =
        |it: &&Ranked| it.confidence != Confidence::Possible || it.finding.severity == Severity::Error;
    ranked.first().filter(|it| !it.ruled_out).filter(explains)
}

impl Evidence<'_> {
    fn confidence(&self, finding: &Finding, findings: &[Finding]) -> Confidence {
        // Such a rule repeats the message; without a denial there is nothing to confirm it by.
        if self.is_told_only(finding) {
            return Confidence::Likely;
        }
        let by_claim = self.incident.claims.iter().map(|claim| match claim {
            ErrorSignature::Denied(denial) => self.by_denial(finding, denial, findings),
            claim => self.by_wording(finding, claim, findings),
        });
        let confidence = by_claim.min().unwrap_or(Confidence::Possible);
        if finding.subject.repeats_message() { confidence.min(Confidence::Likely) } else { confidence }
    }

    /// Whether what AWS answered speaks against a finding: something else was refused, nothing was, or what it is
    /// about went well before that.
    fn rules_out(&self, finding: &Finding, confidence: Confidence, other_reason: bool) -> bool {
        let subject = finding.subject;
        if subject.repeats_message() || subject.is_setting() || self.is_told_only(finding) {
            return false;
        }
        if other_reason
            || (confidence == Confidence::Possible && self.incident.claims.iter().any(is_about_others))
        {
            return true;
        }
        let came_before = match subject {
            Subject::Trust => true,
            // Builds, instances and functions fetch their artifacts themselves.
            it if it.is_about_artifacts() => {
                let provider = Provider::of(&self.incident.action);
                (provider.is_of_stacks() || provider == Provider::Ecs)
                    && self.incident.action.output_artifacts().next().is_none()
            }
            _ => false,
        };
        came_before && self.incident.provider_answered && confidence == Confidence::Possible
    }

    /// Whether a finding repeats what AWS says, and no policy that is known shows it. Who was denied is part of
    /// what AWS says, so such a finding is about that and nothing else.
    fn is_told_only(&self, finding: &Finding) -> bool {
        finding.denied.is_empty() && (finding.subject.repeats_message() || finding.is_told)
    }

    /// AWS says who was denied what, and mostly by which side.
    fn by_denial(&self, finding: &Finding, denial: &Denial, findings: &[Finding]) -> Confidence {
        let agreement = |it: &Finding| it.denied.iter().map(|denied| denial.agreement(denied)).max();
        match agreement(finding).unwrap_or(Agreement::None) {
            // What a build's command prints is not AWS's word.
            Agreement::Full if self.incident.in_own_words => Confidence::Likely,
            Agreement::Full => Confidence::Confirmed,
            Agreement::AnySide if finding.subject == Subject::DeniedRole => Confidence::Likely,
            // Across accounts AWS names one of the two sides, though both may be at fault.
            Agreement::Related => Confidence::Likely,
            Agreement::None => Confidence::Possible,
            Agreement::AnySide => {
                let others = findings.iter().filter(|it| agreement(it) == Some(Agreement::AnySide));
                self.confirmed_if(others.count() == 1, |rule| judges(rule, &denial.action))
            }
        }
    }

    /// The message is one of those that say less.
    fn by_wording(&self, finding: &Finding, claim: &ErrorSignature, findings: &[Finding]) -> Confidence {
        let is_named = |it: &Finding| names(it.rule, claim) && self.is_about(it, claim);
        if is_named(finding) {
            let alone = findings.iter().filter(|it| is_named(it)).count() == 1;
            return self.confirmed_if(alone, |rule| fit(rule, claim) == Fit::Names);
        }
        // Such a message may name the wrong service, and a bucket that the pipeline has left since.
        let may_err =
            matches!(claim, ErrorSignature::RolePermissions { .. } | ErrorSignature::Artifact { .. });
        let explains = fit(finding.rule, claim) != Fit::No;
        if explains && (may_err || self.is_about(finding, claim)) {
            Confidence::Likely
        } else {
            Confidence::Possible
        }
    }

    /// Nothing else is at fault, and everything else that could be was looked at.
    fn confirmed_if(&self, alone: bool, could_be: impl Fn(RuleId) -> bool) -> Confidence {
        let unjudged = self.unknown.iter().any(|it| could_be(it.rule));
        if alone && !unjudged { Confidence::Confirmed } else { Confidence::Likely }
    }

    /// Whether the finding is about what the message names, if it names anything.
    fn is_about(&self, finding: &Finding, claim: &ErrorSignature) -> bool {
        let denies = |is: &dyn Fn(&Denied) -> bool| finding.denied.iter().any(is);
        match claim {
            ErrorSignature::AssumeRole { role } => role.is_empty() || denies(&|it| it.resource == *role),
            ErrorSignature::RolePermissions { service: Some(service) } => {
                let prefix = format!("{}:", service.to_ascii_lowercase());
                denies(&|it| it.action.starts_with(&prefix))
            }
            ErrorSignature::Artifact { bucket } | ErrorSignature::Bucket { bucket } => {
                let bucket = bucket.as_deref();
                if denies(&|it| it.bucket().is_some()) {
                    return denies(&|it| it.bucket().is_some_and(|it| bucket.is_none_or(|name| name == it)));
                }
                let of_artifacts = finding.subject.is_about_artifacts() || finding.subject.is_setting();
                of_artifacts && (bucket.is_none() || bucket == self.artifact_bucket)
            }
            ErrorSignature::NoSuchKey { key: Some(key) }
            | ErrorSignature::KeyNotUsable { key: Some(key) } => {
                let name = key.rsplit([':', '/']).next().unwrap_or(key);
                finding.location.contains(name) || finding.because.contains(name)
            }
            _ => true,
        }
    }
}

/// How the fault of a rule fits what a message claims.
fn fit(rule: RuleId, claim: &ErrorSignature) -> Fit {
    rule.rule().map_or(Fit::No, |rule| (rule.in_diagnosis.explains)(claim))
}

/// Whether a message speaks of the fault of a rule.
fn names(rule: RuleId, claim: &ErrorSignature) -> bool {
    rule.rule().is_some_and(|rule| rule.in_diagnosis.names(claim))
}

/// Whether a rule judges who may do this.
fn judges(rule: RuleId, action: &str) -> bool {
    rule.rule().is_some_and(|rule| rule.in_diagnosis.judges_action(action))
}

/// Whether a claim says clearly what happened, so that a fault which it does not speak of is another matter.
fn is_about_others(claim: &ErrorSignature) -> bool {
    match claim {
        ErrorSignature::Denied(denial) => {
            denial.actor.is_some() && denial.side.is_some() && !may_hide(denial)
        }
        ErrorSignature::RoleNotAssumable(_)
        | ErrorSignature::OwnWork
        | ErrorSignature::NotPermission
        | ErrorSignature::InstanceBucket
        | ErrorSignature::StackBucket
        | ErrorSignature::NoAcls
        | ErrorSignature::NoStoreInRegion
        | ErrorSignature::PassRoleAcross
        | ErrorSignature::LambdaSilent
        | ErrorSignature::ClusterRefused
        | ErrorSignature::Connection
        | ErrorSignature::StackSetAdmin => true,
        _ => false,
    }
}

/// KMS does not say which key it means.
fn may_hide(denial: &Denial) -> bool {
    denial.resource.is_none() && denial.side == Some(PolicyKind::ResourceBased)
}
