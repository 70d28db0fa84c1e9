//! The failure: B's grant goes, the pipeline runs, the alert comes.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crosspipe_e2e::world::World;
use crosspipe_e2e::{CallError, Subscriber, target_dir};
use serde_json::{Value, json};

use crate::access::{Access, Expected};
use crate::screen::Screen;

const PATIENCE: Duration = Duration::from_secs(60);

/// An execution of the pipeline that has come to its end.
pub(crate) struct Execution {
    pub id: String,
    pub status: String,
    /// Stage and name of the action that failed, and why.
    pub failed: Option<(String, String)>,
}

/// Breaks the bucket policy, runs the pipeline, waits for the alert.
pub(crate) fn tell(
    screen: &mut Screen,
    world: &World<'_>,
    access: &Access<'_>,
    outputs: &BTreeMap<String, String>,
) -> Result<Subscriber, Box<dyn Error>> {
    screen.step("Somebody tidies up the bucket policy");
    let removed = remove_grant(world)?;
    screen.say(&format!("{removed} statements that allow account {} are removed by hand", world.target.id()));
    access.try_all(screen, Expected { assume: true, read: false, decrypt: true });

    screen.step("The next run fails");
    let subscriber = Subscriber::start()?;
    let topic = outputs.get("AlertTopicArn").map(String::as_str).unwrap_or_default();
    subscriber.subscribe(&world.tools, topic, PATIENCE)?;
    screen.say(&format!("{} is subscribed to the alert topic", subscriber.url()));
    let execution = run_pipeline(screen, world)?;
    let failed = execution.failed.as_ref().map(|(action, _)| action.as_str());
    screen.check(
        failed == Some("Production/ExternalDeploy"),
        "Production/ExternalDeploy is the action that fails",
    );

    screen.step("The alert, as its subscriber gets it");
    let about = |member: &str, notification: &Value| text(notification, member).contains(&execution.id);
    let Some(alert) = subscriber.wait_for(PATIENCE, |notification| about("Message", notification)) else {
        return Err(format!("no alert about execution {} within {PATIENCE:?}", execution.id).into());
    };
    let (subject, message) = (text(&alert, "Subject"), text(&alert, "Message"));
    screen.quote(&format!("Subject: {subject}\n\n{message}"));
    screen.check(subject.contains("[S3001]"), "root cause: S3001, the bucket policy omits the target");
    let section = |title: &str| message.lines().position(|line| line.starts_with(title));
    screen.check(
        section("Cause (S3001, confirmed)").is_some(),
        "confirmed against the live policies of both accounts",
    );
    let fix = section("Fix").map(|at| message.lines().skip(at + 1).collect::<Vec<_>>().join("\n"));
    let named = fix.is_some_and(|fix| fix.contains(&world.bucket) && fix.contains(world.target.id()));
    screen.check(named, "the fix names the bucket and the account that it has to admit");
    let page = write_page(world)?;
    screen.say(&format!("the access path, drawn by `crosspipe lint --format html`: {}", page.display()));
    Ok(subscriber)
}

/// Writes the page that the command makes of the live pipeline, and answers where it is.
fn write_page(world: &World<'_>) -> Result<PathBuf, Box<dyn Error>> {
    let command = std::env::current_exe()?.with_file_name("crosspipe");
    let output = Command::new(command)
        .args(["lint", "--format", "html", "--pipeline", &world.pipeline])
        .env("AWS_ENDPOINT_URL", world.tools.aws().endpoint())
        .env("AWS_ACCESS_KEY_ID", world.tools.id())
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_REGION", world.tools.region())
        .output()?;
    // There is a fault, so it ends with 1.
    if output.status.code() != Some(1) {
        return Err(format!("crosspipe lint: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let page = target_dir()?.join("demo.html");
    fs::write(&page, output.stdout)?;
    Ok(page)
}

/// Runs the pipeline to its end and prints what becomes of each action.
pub(crate) fn run_pipeline(screen: &Screen, world: &World<'_>) -> Result<Execution, CallError> {
    let call = |operation, request| world.tools.call("codepipeline", operation, request);
    let id = text(&call("start_pipeline_execution", json!({"name": world.pipeline}))?, "pipelineExecutionId");
    screen.say(&format!("execution {id}"));
    let asked = json!({"pipelineName": world.pipeline, "pipelineExecutionId": id});
    let status = loop {
        let answer = call("get_pipeline_execution", asked.clone())?;
        let status = answer.pointer("/pipelineExecution/status").and_then(Value::as_str).unwrap_or_default();
        if status != "InProgress" {
            break status.to_owned();
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let listed = call(
        "list_action_executions",
        json!({"pipelineName": world.pipeline, "filter": {"pipelineExecutionId": id}}),
    )?;
    let actions = listed.get("actionExecutionDetails").and_then(Value::as_array);
    let mut failed = None;
    // Newest first.
    for action in actions.into_iter().flatten().rev() {
        let name = format!("{}/{}", text(action, "stageName"), text(action, "actionName"));
        let place = if action.pointer("/input/roleArn").is_some() { "in B" } else { "in A" };
        screen.say(&format!("{:<28} {place}  {}", name, text(action, "status")));
        if let Some(error) = action.pointer("/output/executionResult/errorDetails") {
            let error = format!("{}: {}", text(error, "code"), text(error, "message"));
            screen.quote(&error);
            failed = Some((name, error));
        }
    }
    Ok(Execution { id, status, failed })
}

/// Removes the statements of the bucket policy that admit the target account; answers how many.
pub(crate) fn remove_grant(world: &World<'_>) -> Result<usize, Box<dyn Error>> {
    let mut policy = world.live()?.bucket_policy;
    let Some(statements) = policy.get_mut("Statement").and_then(Value::as_array_mut) else {
        return Err("the bucket policy has no list of statements".into());
    };
    let before = statements.len();
    statements.retain(|statement| {
        !statement.get("Principal").is_some_and(|principal| principal.to_string().contains(world.target.id()))
    });
    let removed = before - statements.len();
    world.tools.call(
        "s3",
        "put_bucket_policy",
        json!({"Bucket": world.bucket, "Policy": policy.to_string()}),
    )?;
    Ok(removed)
}

pub(crate) fn text(value: &Value, member: &str) -> String {
    value.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
}
