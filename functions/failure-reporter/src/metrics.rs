//! Metrics, as log lines that CloudWatch reads in its embedded metric format: no calls, no permission.
//!
//! See <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crosspipe_core::diagnosis::{Confidence, Report};
use crosspipe_core::evaluation::date;
use serde_json::{Map, Value, json};

const NAMESPACE: &str = "Crosspipe";

/// What is measured. None has a dimension: the rest of a line can be searched in the log, and costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metric {
    /// Failures that were diagnosed and notified of.
    FailuresDiagnosed,
    /// 1 for a failure whose cause is confirmed, 0 for another: the average is the confirmed share.
    Confirmed,
    /// Milliseconds from the failure to its alert.
    TimeToAlert,
    /// Rules that could not judge, because a part of the snapshot could not be read.
    UnknownParts,
    /// Failures whose cause was remediated.
    Remediations,
    /// Events that could not be read.
    UnreadableEvents,
}

impl Metric {
    fn name(self) -> &'static str {
        match self {
            Metric::FailuresDiagnosed => "FailuresDiagnosed",
            Metric::Confirmed => "Confirmed",
            Metric::TimeToAlert => "TimeToAlert",
            Metric::UnknownParts => "UnknownParts",
            Metric::Remediations => "Remediations",
            Metric::UnreadableEvents => "UnreadableEvents",
        }
    }

    fn unit(self) -> &'static str {
        if self == Metric::TimeToAlert { "Milliseconds" } else { "Count" }
    }
}

/// Counts a report that was sent. `failed_at` is the event's `time`.
pub(crate) fn count_report(report: &Report, failed_at: Option<&str>) {
    let confirmed = report.root_cause.as_ref().is_some_and(|it| it.confidence == Confidence::Confirmed);
    let mut values = vec![
        (Metric::FailuresDiagnosed, 1),
        (Metric::Confirmed, u64::from(confirmed)),
        (Metric::UnknownParts, report.unknown.len() as u64),
        (Metric::Remediations, u64::from(report.remediation.outcome.is_remediated())),
    ];
    if let Some(age) = failed_at.and_then(|time| age_of(time, SystemTime::now())) {
        values.push((Metric::TimeToAlert, age.as_millis().try_into().unwrap_or(u64::MAX)));
    }
    let properties = json!({
        "pipeline": report.pipeline,
        "executionId": report.execution_id,
        "actionExecutionId": report.action_execution_id,
        "targetAccount": report.target_account,
        "rule": report.root_cause.as_ref().map(|cause| cause.rule.as_str()),
    });
    write_counts(&values, &properties);
}

/// Writes one line with these values. `properties` are for searching the log: ids and names, nothing secret.
pub(crate) fn write_counts(values: &[(Metric, u64)], properties: &Value) {
    // Standard output is the function's log.
    println!("{}", metrics_line(values, properties, SystemTime::now()));
}

fn metrics_line(values: &[(Metric, u64)], properties: &Value, now: SystemTime) -> Value {
    let definitions = values.iter().map(|(metric, _)| json!({"Name": metric.name(), "Unit": metric.unit()}));
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
    let mut line = Map::new();
    line.insert(
        "_aws".into(),
        json!({
            "Timestamp": now,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [[]],
                "Metrics": definitions.collect::<Vec<_>>(),
            }],
        }),
    );
    line.extend(values.iter().map(|(metric, value)| (metric.name().to_owned(), json!(value))));
    line.extend(properties.as_object().cloned().unwrap_or_default());
    Value::Object(line)
}

/// How long ago a time of an event was; none at all for a time to come.
fn age_of(time: &str, now: SystemTime) -> Option<Duration> {
    let then = Duration::from_nanos(date::parse(time)?.try_into().ok()?);
    Some(now.duration_since(UNIX_EPOCH).ok()?.saturating_sub(then))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_defines_its_metrics() {
        let now = UNIX_EPOCH + Duration::from_millis(1_580_497_000_123);
        let line = metrics_line(
            &[(Metric::FailuresDiagnosed, 1), (Metric::TimeToAlert, 1500)],
            &json!({"pipeline": "p"}),
            now,
        );
        assert_eq!(
            line,
            json!({
                "_aws": {"Timestamp": 1_580_497_000_123_u64, "CloudWatchMetrics": [{
                    "Namespace": "Crosspipe", "Dimensions": [[]],
                    "Metrics": [{"Name": "FailuresDiagnosed", "Unit": "Count"}, {"Name": "TimeToAlert", "Unit": "Milliseconds"}],
                }]},
                "FailuresDiagnosed": 1, "TimeToAlert": 1500, "pipeline": "p",
            })
        );
    }

    #[test]
    fn the_age_of_an_event() {
        let now = UNIX_EPOCH + Duration::from_secs(1_580_496_945);
        assert_eq!(age_of("2020-01-31T18:55:43Z", now), Some(Duration::from_secs(2)));
        assert_eq!(age_of("2020-01-31T18:55:47Z", now), Some(Duration::ZERO), "clocks differ");
        assert_eq!(age_of("yesterday", now), None);
    }
}
