//! The alert of findings that were detected or resolved before a run.

use super::of_report::message_attributes;
use super::{Alert, Cause, Done, Evidence, Kind, Link};
use crate::diagnosis::links;
use crate::rules::Finding;
use crate::watch::{Notice, NoticeKind, Trigger};

impl From<&Notice> for Alert {
    fn from(notice: &Notice) -> Self {
        let Notice { pipeline, account, trigger, .. } = notice;
        let (kind, subject, headline) = match &notice.kind {
            NoticeKind::Detected(findings) => {
                let what = first_and_count(findings.iter().map(|finding| finding.message.as_str()));
                let subject = format!("{pipeline}: the next run will fail");
                (Kind::FindingDetected, subject, format!("Pipeline {pipeline} will fail: {what}"))
            }
            NoticeKind::Resolved(keys) => {
                let what = first_and_count(keys.iter().map(|key| key.message.as_str()));
                let by = match &notice.remediation {
                    Some(_) => "Crosspipe has remediated",
                    None => "resolved",
                };
                let subject = format!("{pipeline}: resolved, {}", notice.rules().join(" "));
                (Kind::FindingResolved, subject, format!("Pipeline {pipeline}: {by}: {what}"))
            }
        };
        let mut causes = match &notice.kind {
            NoticeKind::Detected(findings) => findings.iter().map(Cause::from).collect(),
            NoticeKind::Resolved(_) => vec![],
        }
        .into_iter();
        let gone = match &notice.kind {
            NoticeKind::Resolved(keys) => keys.as_slice(),
            NoticeKind::Detected(_) => &[],
        };
        let gone = gone.iter().map(|key| Evidence::new(format!("resolved, {}", key.rule), &key.message));
        let evidence = vec![
            Evidence::new("pipeline", format!("{pipeline} in account {account}, {}", notice.region)),
            Evidence::new("checked because of", describe_trigger(trigger)),
        ];
        let done = notice
            .remediation
            .as_ref()
            .map(|it| Done { outcome: it.outcome.word().to_owned(), steps: it.steps.clone() });
        let more = match (&notice.remediation, &trigger.actor) {
            (Some(remediation), _) if !remediation.outcome.is_remediated() => {
                "; remediation failed".to_owned()
            }
            (None, Some(actor)) => format!(". Detected after {} by {actor}", trigger.event),
            _ => String::new(),
        };
        Alert {
            id: format!("{}:{}", notice.thread(), notice.detail_type()),
            thread: notice.thread(),
            kind,
            subject,
            headline: format!("{headline}{more}"),
            cause: causes.next(),
            further: causes.collect(),
            done,
            links: vec![Link {
                name: "Pipeline".into(),
                url: links::pipeline_page(pipeline, &notice.region),
            }],
            evidence: gone.chain(evidence).collect(),
            resources: vec![notice.pipeline_arn.clone()].into_iter().filter(|arn| !arn.is_empty()).collect(),
            attributes: message_attributes(pipeline, ""),
        }
    }
}

impl From<&Finding> for Cause {
    fn from(finding: &Finding) -> Self {
        Cause {
            rule: finding.rule.to_string(),
            confidence: None,
            message: finding.message.clone(),
            because: finding.because.clone(),
            fix: finding.short_fix(),
            script: finding.script(),
        }
    }
}

/// The first, and how many there are beside it.
fn first_and_count<'m>(mut messages: impl Iterator<Item = &'m str>) -> String {
    let first = messages.next().unwrap_or_default();
    match messages.count() {
        0 => first.to_owned(),
        more => format!("{first} (and {more} more)"),
    }
}

/// `PutBucketPolicy on bucket artifacts by arn:… at 2024-05-01T10:00:00Z, through cloudformation.amazonaws.com`.
fn describe_trigger(trigger: &Trigger) -> String {
    let parts = [
        (" on ", &trigger.resource),
        (" by ", &trigger.actor),
        (" at ", &trigger.time),
        (", through ", &trigger.via),
    ];
    let known = parts.into_iter().filter_map(|(word, part)| Some(format!("{word}{}", part.as_ref()?)));
    std::iter::once(trigger.event.clone()).chain(known).collect()
}
