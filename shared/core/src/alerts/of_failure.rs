//! The alert of a failure in the pipeline's own account, which is not diagnosed.

use super::of_report::message_attributes;
use super::{Alert, Evidence, Kind, Link};
use crate::diagnosis::links;
use crate::incident::Failure;

impl Alert {
    /// A short note of an action that failed in the pipeline's own account, where its own console pages say why.
    pub fn own_action(failure: &Failure) -> Self {
        let Failure { pipeline, action, account, .. } = failure;
        let why = match failure.message() {
            "" => failure.error_code.as_deref().unwrap_or_default(),
            message => message,
        };
        let mut headline = format!(
            "Pipeline {pipeline}: {action} ({}) failed in the pipeline's own account",
            failure.provider
        );
        if !why.is_empty() {
            headline = format!("{headline}: {why}");
        }
        let mut evidence = vec![
            Evidence::new("action", format!("{action} in stage {}, {}", failure.stage, failure.region)),
            Evidence::new("execution", &failure.execution_id),
            Evidence::new("action execution", &failure.action_execution_id),
        ];
        let known =
            [("error code", &failure.error_code), ("external execution id", &failure.external_execution_id)];
        evidence
            .extend(known.into_iter().filter_map(|(name, text)| Some(Evidence::new(name, text.as_ref()?))));
        let mut pages = vec![Link { name: "Pipeline execution".into(), url: links::execution_page(failure) }];
        pages.extend(
            failure
                .external_execution_url
                .iter()
                .map(|url| Link { name: failure.provider.clone(), url: url.clone() }),
        );
        Alert {
            id: failure.action_execution_id.clone(),
            thread: failure.execution_id.clone(),
            kind: Kind::OwnActionFailed,
            subject: format!("{pipeline}: {action} failed in {account}"),
            headline,
            cause: None,
            further: vec![],
            done: None,
            links: pages,
            evidence,
            resources: vec![failure.pipeline_arn()],
            attributes: message_attributes(pipeline, account),
        }
    }
}
