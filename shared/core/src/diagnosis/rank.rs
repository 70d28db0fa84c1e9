//! Which finding explains the failure, and how surely.
//!
//! A finding is *confirmed* where message and policies agree: AWS names the request and the side, and the
//! policies show that this side refuses it; or the message leaves it open, and of all that could explain it
//! there is one fault, and nothing that could not be looked at. It is *likely* where the message fits and is
//! not as clear, and *possible* where the fault is there and the message says nothing of it.

use std::cmp::Reverse;

use serde::Serialize;

use super::explanations::{Explanations, is_about_permissions, judges};
use crate::incident::message::{Agreement, Denial, ErrorSignature};
use crate::rules::{Denied, Finding, Severity, Unknown};

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
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
}

/// What findings are held against.
#[derive(Debug)]
pub(super) struct Evidence<'a> {
    /// What the messages claim.
    pub claims: Vec<ErrorSignature>,
    /// What could not be judged.
    pub unknown: &'a [Unknown],
    /// The bucket that the failed action has its artifacts from.
    pub artifact_bucket: Option<&'a str>,
}

/// Orders findings by how surely they are the cause; among equals, what the action needs first comes first.
pub(super) fn rank(mut findings: Vec<Finding>, evidence: &Evidence<'_>) -> Vec<Ranked> {
    // It failed for a reason of its own, and hints at permissions would lead astray.
    if findings.iter().any(|finding| finding.rule == "EV004") {
        findings.retain(|finding| !is_about_permissions(finding.rule));
    }
    let confidences: Vec<Confidence> =
        findings.iter().map(|finding| evidence.confidence(finding, &findings)).collect();
    let ranked = confidences.into_iter().zip(findings);
    let mut ranked: Vec<Ranked> =
        ranked.map(|(confidence, finding)| Ranked { confidence, finding }).collect();
    ranked.sort_by_key(|it| (it.confidence, Reverse(it.finding.severity), step(it.finding.rule)));
    ranked
}

/// The finding that explains the failure best. What works though it should not be so is no explanation unless
/// the message points at it.
pub(super) fn cause(ranked: &[Ranked]) -> Option<&Ranked> {
    let explains =
        |it: &&Ranked| it.confidence != Confidence::Possible || it.finding.severity == Severity::Error;
    ranked.first().filter(explains)
}

/// The order in which an action runs into faults: assume the role, fetch from S3, decrypt, use the provider.
/// What only the message tells comes last, since a fault that is shown says more.
fn step(rule: &str) -> u8 {
    match rule.get(..2) {
        Some("IA") if rule < "IA004" => 0,
        Some("PL") => 1,
        Some("S3") => 2,
        _ if rule == "IA005" => 3,
        Some("KM") => 4,
        Some("EV") => 6,
        _ => 5,
    }
}

impl Evidence<'_> {
    fn confidence(&self, finding: &Finding, findings: &[Finding]) -> Confidence {
        // Such a rule repeats the message; without a denial there is nothing to confirm it by.
        if finding.rule.starts_with("EV") && finding.denied.is_empty() {
            return Confidence::Likely;
        }
        let by_claim = self.claims.iter().map(|claim| match claim {
            ErrorSignature::Denied(denial) => self.by_denial(finding, denial, findings),
            claim => self.by_wording(finding, claim, findings),
        });
        by_claim.min().unwrap_or(Confidence::Possible)
    }

    /// AWS says who was denied what, and mostly by which side.
    fn by_denial(&self, finding: &Finding, denial: &Denial, findings: &[Finding]) -> Confidence {
        let agreement = |it: &Finding| it.denied.iter().map(|denied| denial.agreement(denied)).max();
        match agreement(finding).unwrap_or(Agreement::None) {
            Agreement::Full => Confidence::Confirmed,
            // Across accounts AWS names one of the two sides, though both may be at fault.
            Agreement::Related => Confidence::Likely,
            Agreement::None => Confidence::Possible,
            Agreement::AnySide => {
                let others = findings.iter().filter(|it| agreement(it) == Some(Agreement::AnySide));
                self.confirmed_if(others.count() == 1, |rule| judges(&denial.action).contains(&rule))
            }
        }
    }

    /// The message is one of those that say less.
    fn by_wording(&self, finding: &Finding, claim: &ErrorSignature, findings: &[Finding]) -> Confidence {
        let explanations = Explanations::of(claim);
        let is_named = |it: &Finding| explanations.names(it.rule) && self.is_about(it, claim);
        if is_named(finding) {
            let alone = findings.iter().filter(|it| is_named(it)).count() == 1;
            return self.confirmed_if(alone, |rule| explanations.names(rule));
        }
        // Such a message may name the wrong service, and a bucket that the pipeline has left since.
        let may_err =
            matches!(claim, ErrorSignature::RolePermissions { .. } | ErrorSignature::Artifact { .. });
        let explains = explanations.names(finding.rule) || explanations.fits(finding.rule);
        if explains && (may_err || self.is_about(finding, claim)) {
            Confidence::Likely
        } else {
            Confidence::Possible
        }
    }

    /// Nothing else is at fault, and everything else that could be was looked at. (Whatever key a build has,
    /// a role that may not use the pipeline's can't use its artifacts.)
    fn confirmed_if(&self, alone: bool, could_be: impl Fn(&str) -> bool) -> Confidence {
        let unjudged = self.unknown.iter().any(|it| it.rule != "CB001" && could_be(it.rule));
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
                if matches!(finding.rule, "IA006" | "IA013") {
                    return denies(&|it| it.bucket().is_some_and(|it| bucket.is_none_or(|name| name == it)));
                }
                bucket.is_none() || bucket == self.artifact_bucket
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
