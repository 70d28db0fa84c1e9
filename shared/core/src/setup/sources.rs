//! Sources in target accounts, whose changes start a pipeline by events.

use super::opened::Opened;
use super::{Parameters, given};
use crate::arn;
use crate::pipeline::Action;
use crate::providers::Provider;

/// A source in a target account, as pipeline.yaml asks for it.
#[derive(Debug)]
pub(super) struct RemoteSource<'a> {
    provider: Provider,
    account: &'a str,
    /// Of the repository or bucket.
    name: &'a str,
    /// The branch, image tag or object key.
    reference: &'a str,
}

impl<'a> RemoteSource<'a> {
    /// The source of a pipeline that is, or is to be, in a target account and sends events. What these need beside the
    /// templates' parameters is added to `unknown`.
    pub(super) fn read(opened: &Opened<'a>, unknown: &mut Vec<String>) -> Option<Self> {
        let mut first = None;
        for (action, account) in opened.target_actions() {
            let Some(source) = RemoteSource::of_action(&action, account) else { continue };
            let name = format!("action `{}/{}`", action.stage().name(), action.name());
            if first.is_some() {
                unknown.push(format!(
                    "{name} is one source in a target account more than pipeline.yaml has a rule for: make it in a \
                     template of your own"
                ));
                continue;
            }
            let polls = action.configuration("PollForSourceChanges");
            if source.provider != Provider::Ecr && !polls.is_some_and(|it| it.eq_ignore_ascii_case("false")) {
                unknown.push(format!(
                    "{name} polls its source as well, unless you set its PollForSourceChanges to false"
                ));
            }
            if source.provider == Provider::S3Source {
                unknown.push(format!(
                    "whether bucket `{}` sends its events to EventBridge: turn that on in account {account}",
                    source.name
                ));
            }
            first = Some(source);
        }
        first
    }

    fn of_action(action: &Action<'a>, account: &'a str) -> Option<Self> {
        let get = |key| action.configuration(key);
        let provider = Provider::of(action);
        let (name, reference) = match provider {
            Provider::CodeCommit => (get("RepositoryName"), get("BranchName")),
            Provider::Ecr => (get("RepositoryName"), get("ImageTag").or(Some("latest"))),
            Provider::S3Source => (get("S3Bucket"), get("S3ObjectKey")),
            _ => return None,
        };
        Some(RemoteSource { provider, account, name: name?, reference: reference? })
    }

    /// Of pipeline.yaml.
    pub(super) fn parameters(&self) -> Parameters {
        vec![
            ("SourceProvider", self.provider.facts().map_or("", |facts| facts.name).to_owned()),
            ("SourceAccountId", self.account.to_owned()),
            ("SourceName", self.name.to_owned()),
            ("SourceReference", self.reference.to_owned()),
        ]
    }
}

/// Of target-account.yaml: where the events of sources go, if there are any.
pub(super) fn event_bus(
    opened: &[Opened<'_>],
    sources: &[Option<RemoteSource<'_>>],
) -> Option<(&'static str, String)> {
    let first = opened.first().filter(|_| sources.iter().any(Option::is_some))?;
    let bus = arn::build(&first.partition, "events", &first.region, &first.account, "event-bus/default");
    given("EventBusArn", bus)
}
