//! What a fault tells that was found, or mended, before a run met it.

use super::of_report::attributes;
use super::{Alert, Cause, Done, Evidence, Kind, Link};
use crate::diagnosis::links;
use crate::rules::Finding;
use crate::watch::{Notice, NoticeKind, Trigger};

impl From<&Notice> for Alert {
    fn from(notice: &Notice) -> Self {
        let Notice { pipeline, account, trigger, .. } = notice;
        let (kind, subject, headline) = match &notice.kind {
            NoticeKind::Found(findings) => {
                let what = several(findings.iter().map(|finding| finding.message.as_str()));
                let subject = format!("{pipeline}: the next run will fail");
                (Kind::FaultFound, subject, format!("Pipeline {pipeline} will fail: {what}"))
            }
            NoticeKind::Mended(faults) => {
                let what = several(faults.iter().map(|fault| fault.message.as_str()));
                let by = match &notice.remediation {
                    Some(_) => "Crosspipe has mended",
                    None => "It is no longer so",
                };
                let subject = format!("{pipeline}: mended, {}", notice.rules().join(" "));
                (Kind::FaultMended, subject, format!("Pipeline {pipeline}: {by} that {what}"))
            }
        };
        let mut causes = match &notice.kind {
            NoticeKind::Found(findings) => findings.iter().map(Cause::from).collect(),
            NoticeKind::Mended(_) => vec![],
        }
        .into_iter();
        let gone = match &notice.kind {
            NoticeKind::Mended(faults) => faults.as_slice(),
            NoticeKind::Found(_) => &[],
        };
        let gone = gone.iter().map(|fault| Evidence::new(format!("mended, {}", fault.rule), &fault.message));
        let evidence = vec![
            Evidence::new("pipeline", format!("{pipeline} in account {account}, {}", notice.region)),
            Evidence::new("looked because of", in_words(trigger)),
        ];
        let done = notice
            .remediation
            .as_ref()
            .map(|it| Done { outcome: it.outcome.word().to_owned(), steps: it.steps.clone() });
        let more = match (&notice.remediation, &trigger.actor) {
            (Some(remediation), _) if !remediation.outcome.is_mended() => {
                "; putting it back failed".to_owned()
            }
            (None, Some(actor)) => format!(". Seen after {} by {actor}", trigger.event),
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
            links: vec![Link { name: "Pipeline".into(), url: links::pipeline(pipeline, &notice.region) }],
            evidence: gone.chain(evidence).collect(),
            resources: vec![notice.pipeline_arn.clone()].into_iter().filter(|arn| !arn.is_empty()).collect(),
            attributes: attributes(pipeline, ""),
        }
    }
}

impl From<&Finding> for Cause {
    fn from(finding: &Finding) -> Self {
        Cause {
            rule: finding.rule.to_owned(),
            confidence: None,
            message: finding.message.clone(),
            because: finding.because.clone(),
            fix: finding.fix.clone(),
        }
    }
}

/// The first, and how many there are beside it.
fn several<'m>(mut messages: impl Iterator<Item = &'m str>) -> String {
    let first = messages.next().unwrap_or_default();
    match messages.count() {
        0 => first.to_owned(),
        more => format!("{first} (and {more} more)"),
    }
}

/// `PutBucketPolicy on bucket artifacts by arn:… at 2024-05-01T10:00:00Z, through cloudformation.amazonaws.com`.
fn in_words(trigger: &Trigger) -> String {
    let parts = [
        (" on ", &trigger.resource),
        (" by ", &trigger.actor),
        (" at ", &trigger.time),
        (", through ", &trigger.via),
    ];
    let known = parts.into_iter().filter_map(|(word, part)| Some(format!("{word}{}", part.as_ref()?)));
    std::iter::once(trigger.event.clone()).chain(known).collect()
}
