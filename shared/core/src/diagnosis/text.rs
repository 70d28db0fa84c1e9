//! The report as a person reads it, in an e-mail and on a phone: headline, cause, fix, links, evidence.

use std::fmt::Write;

use super::report::Report;

/// SNS takes subjects of up to 100 ASCII characters.
/// See <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>.
const SUBJECT: usize = 100;

/// The subject of an e-mail.
pub fn subject(report: &Report) -> String {
    let rule = report.root_cause.as_ref().map(|cause| format!(" [{}]", cause.rule)).unwrap_or_default();
    let text = format!("{}: {} failed in {}{rule}", report.pipeline, report.action, report.target_account);
    text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(SUBJECT).collect()
}

/// The body of an e-mail.
pub fn body(report: &Report) -> String {
    let mut text = format!("{}\n", report.headline);
    if let Some(cause) = &report.root_cause {
        let confidence = format!("{:?}", cause.confidence).to_lowercase();
        section(&mut text, &format!("Cause ({}, {confidence})", cause.rule), &cause.because);
        section(&mut text, "Fix", &cause.fix);
    }
    for ranked in report.further() {
        let finding = &ranked.finding;
        section(
            &mut text,
            &format!("Also found ({})", finding.rule),
            &format!("{}\n{}\n\n{}", finding.message, finding.because, finding.fix),
        );
    }
    let links =
        report.links.iter().map(|(name, url)| format!("{name}: {}", url.as_str().unwrap_or_default()));
    section(&mut text, "Links", &links.collect::<Vec<_>>().join("\n"));
    section(&mut text, "Evidence", &evidence(report));
    text
}

fn evidence(report: &Report) -> String {
    let mut text = format!(
        "pipeline {} in account {}, stage {}, action {}, provider {}, Region {}\nexecution {}, action execution {}",
        report.pipeline,
        report.pipeline_account,
        report.stage,
        report.action,
        report.provider,
        report.region,
        report.execution_id,
        report.action_execution_id,
    );
    let deployment = &report.deployment;
    let lines = [
        ("error", &deployment.error_code),
        ("message", &deployment.error_message),
        ("provider's id", &deployment.external_execution_id),
    ];
    for (name, value) in lines {
        if let Some(value) = value {
            let _ = write!(text, "\n{name}: {value}");
        }
    }
    if let Some(reason) = &deployment.reason {
        let _ = write!(text, "\n{} says: {reason}", report.provider);
    }
    for failure in &deployment.failures {
        let parts = [Some(&failure.target), failure.step.as_ref(), failure.message.as_ref()];
        let _ =
            write!(text, "\nfailed: {}", parts.into_iter().flatten().cloned().collect::<Vec<_>>().join(", "));
        if let Some(log) = &failure.log_tail {
            let _ = write!(text, "\n{log}");
        }
    }
    for why in &deployment.not_read {
        let _ = write!(text, "\nnot read: {why}");
    }
    for unknown in &report.unknown {
        let _ = write!(text, "\nnot judged by {}: {} is not known", unknown.rule, unknown.missing);
    }
    text
}

fn section(text: &mut String, title: &str, body: &str) {
    let _ = write!(text, "\n{title}\n{}\n{body}\n", "-".repeat(title.chars().count()));
}
