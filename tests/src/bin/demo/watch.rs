//! The watch: the same fault again, notified and remediated before a run fails.

use std::error::Error;
use std::time::Duration;

use crosspipe_e2e::world::{Parameters, World};
use crosspipe_e2e::{LocalAws, Subscriber};
use serde_json::{Value, json};

use crate::failure::{remove_grant, run_pipeline, text};
use crate::screen::Screen;

const PATIENCE: Duration = Duration::from_secs(60);

/// The stack that is to watch.
pub(crate) struct Watched<'a> {
    pub packaged: &'a str,
    pub parameters: Parameters,
    /// The bucket policy with Crosspipe's grant.
    pub granted: &'a Value,
}

/// Turns the watch on, breaks the bucket policy as before, and waits for both alerts.
pub(crate) fn show_watch(
    screen: &mut Screen,
    aws: &LocalAws,
    world: &World<'_>,
    subscriber: &Subscriber,
    watched: Watched<'_>,
) -> Result<(), Box<dyn Error>> {
    let Watched { packaged, mut parameters, granted } = watched;
    screen.step("The stack is updated: WatchChanges, and RemediationMode=apply");
    let policy = json!({"Bucket": world.bucket, "Policy": granted.to_string()});
    world.tools.call("s3", "put_bucket_policy", policy)?;
    screen.say("the statements that were removed are put back as the alert says");
    let turned_on = [("WatchChanges", "true"), ("RemediationMode", "apply")];
    parameters.extend(turned_on.map(|(name, value)| (name, value.to_owned())));
    world.update_installation(packaged, &parameters)?;
    aws.control("trail", &json!({"account": world.tools.id()}))?;
    screen.say("account A has a CloudTrail trail, so EventBridge hears of changes");

    screen.step("Somebody tidies up the bucket policy again; nobody runs the pipeline");
    let removed = remove_grant(world)?;
    screen.say(&format!("{removed} statements that allow account {} are removed by hand", world.target.id()));
    let found = alert(subscriber, "the next run will fail")?;
    screen.quote(&headline(&found));
    let message = text(&found, "Message");
    screen.check(text(&found, "Subject").contains("[S3001]"), "notified before any run: S3001 again");
    let who = format!("PutBucketPolicy by arn:aws:iam::{}:root", world.tools.id());
    screen.check(message.contains(&who), "the alert says who changed it, and by which call");

    screen.step("And it is remediated");
    let resolved = alert(subscriber, "resolved")?;
    screen.quote(&headline(&resolved));
    let done = text(&resolved, "Message").contains("ArtifactBucketGrant");
    screen.check(done, "the stack's own ArtifactBucketGrant has put its statements back");
    let ran = run_pipeline(screen, world)?;
    screen.check(ran.status == "Succeeded", "the next run succeeds: nobody had to notice");
    Ok(())
}

fn alert(subscriber: &Subscriber, subject: &str) -> Result<Value, String> {
    let fits = |notification: &Value| text(notification, "Subject").contains(subject);
    subscriber.wait_for(PATIENCE, fits).ok_or_else(|| format!("no alert `{subject}` within {PATIENCE:?}"))
}

/// The subject, the headline, and what was done.
fn headline(alert: &Value) -> String {
    let message = text(alert, "Message");
    let done = message.lines().position(|line| line.starts_with("Remediation ("));
    let steps = done.map(|at| message.lines().skip(at).take_while(|line| !line.is_empty()));
    let steps: Vec<&str> = steps.into_iter().flatten().collect();
    let first = message.lines().next().unwrap_or_default();
    format!("Subject: {}\n\n{first}\n\n{}", text(alert, "Subject"), steps.join("\n")).trim_end().to_owned()
}
