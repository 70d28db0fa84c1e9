//! The steps of the demo.

use std::error::Error;
use std::fs;

use crosspipe_e2e::world::{BUILD_PROJECTS, Live, PIPELINE_STACK, STACK, World};
use crosspipe_e2e::{LocalAws, functions, target_dir};
use serde_json::{Value, json};

use crate::access::{Access, Expected};
use crate::screen::Screen;
use crate::{diff, failure, progress, watch};

/// The one in which local AWS can confirm a subscription.
const REGION: &str = "eu-west-1";

const INTRODUCTION: &str = "\
Crosspipe: a pipeline that stays in its account becomes one that deploys into another; a deployment fails, and the
alert says why; the same fault again is detected and remediated before the next run. The templates and the function
binaries are the real ones; AWS is an emulation on 127.0.0.1 that enforces IAM. No AWS account, no Docker.";

pub(crate) fn tell(screen: &mut Screen) -> Result<(), Box<dyn Error>> {
    screen.paragraph(INTRODUCTION);

    screen.step("Functions built, local AWS started");
    let functions = build_functions(screen)?;
    let aws = start_aws(screen)?;

    screen.step("Two accounts as platform teams have them");
    let world = World::build(&aws, REGION)?;
    let before = world.live()?;
    introduce(screen, &world, &before);

    screen.step("Account B: target-account.yaml as a StackSet");
    world.deploy_target()?;
    screen.say("StackSet crosspipe-target: CrosspipeTargetRole and CrosspipeDiagnosticsRole made,");
    screen.say("artifact access attached to the existing role orders-instance");

    screen.step("B's side alone is not enough");
    let access = Access::new(&world)?;
    screen.say(
        "sts:AssumeRole was lent for a moment to open a session of CrosspipeTargetRole: the same session",
    );
    screen.say("tries again after each step");
    access.try_all(screen, Expected { assume: false, read: false, decrypt: false });

    screen.step("Account A: template.yaml is installed, as sam build and sam deploy would");
    let packaged = world.package_tools(&functions)?;
    let parameters = world.tools_parameters();
    let outputs = progress::watch(screen, &world.tools, STACK, || world.install(&packaged, &parameters))?;

    screen.step("Account A: pipeline.yaml opens the pipeline");
    let open = || world.open_pipeline(PIPELINE_STACK, &world.pipeline_parameters());
    let opened = progress::watch(screen, &world.tools, PIPELINE_STACK, open)?;
    let output = |name: &str| opened.get(name).map(String::as_str).unwrap_or_default();
    screen.say(&format!(
        "pipeline version {}, key policy {} of 32768 bytes, bucket policy {} of 20480",
        output("PipelineVersion"),
        output("KeyPolicyBytes"),
        output("BucketPolicyBytes"),
    ));
    let noticed = output("PipelineNotice");
    screen.check(noticed == "none", &format!("notice of the pipeline, its builds included: {noticed}"));

    screen.step("What changed in account A");
    show_changes(screen, &world, &before, &world.live()?);

    screen.step("B reads the artifact");
    access.try_all(screen, Expected { assume: true, read: true, decrypt: true });

    screen.step("The pipeline deploys into account B");
    screen.say("the build encrypts under the artifact key, and its role may use it");
    let ran = failure::run_pipeline(screen, &world)?;
    screen
        .check(ran.status == "Succeeded", "the pipeline runs to its end, Production/ExternalDeploy included");

    let granted = world.live()?.bucket_policy;
    let subscriber = failure::tell(screen, &world, &access, &outputs)?;
    let watched = watch::Watched { packaged: &packaged, parameters, granted: &granted };
    watch::show_watch(screen, &aws, &world, &subscriber, watched)?;

    screen.step("The stacks are deleted, the pipeline's first");
    progress::watch(screen, &world.tools, PIPELINE_STACK, || world.tools.delete_stack(PIPELINE_STACK))?;
    world.tools.delete_stack(STACK)?;
    access.try_all(screen, Expected { assume: false, read: false, decrypt: false });
    world.remove_target()?;
    screen.say("and the StackSet's instance in B with it");

    screen.step("Everything that is not Crosspipe's is as it was");
    screen.say("compared by meaning with step 2; what was removed by hand was Crosspipe's own");
    show_restored(screen, &before, &world.live()?);
    Ok(())
}

fn build_functions(screen: &Screen) -> Result<functions::Functions, Box<dyn Error>> {
    let first = !target_dir()?.join("lambda").is_dir();
    let note = if first { " (the first build compiles the AWS SDK and takes some minutes)" } else { "" };
    screen.say(&format!("building access-provider and failure-reporter{note}"));
    let functions = functions::build()?;
    for function in [&functions.access_provider, &functions.failure_reporter] {
        let bootstrap = function.join("bootstrap");
        let megabytes = fs::metadata(&bootstrap)?.len() as f64 / 1e6;
        screen.say(&format!("{} ({megabytes:.1} MB)", bootstrap.display()));
    }
    Ok(functions)
}

fn start_aws(screen: &Screen) -> Result<LocalAws, Box<dyn Error>> {
    if !target_dir()?.join("local-aws").is_dir() {
        screen.say("installing local AWS under target/local-aws (the first run only)");
    }
    let aws = LocalAws::start()?;
    screen.say(&format!("local AWS listens on {}, log in {}", aws.endpoint(), aws.log_path().display()));
    Ok(aws)
}

fn introduce(screen: &Screen, world: &World<'_>, live: &Live) {
    let count = |value: &Value, member: &str| value.get(member).and_then(Value::as_array).map_or(0, Vec::len);
    let lines = [
        format!("A, tools account {}, {REGION}", world.tools.id()),
        format!(
            "  pipeline      {} (V2, {} stages, Git triggers, {} variables, {} tags), all of it in A",
            world.pipeline,
            count(&live.pipeline, "stages"),
            count(&live.pipeline, "variables"),
            live.pipeline_tags.len(),
        ),
        format!(
            "  service role  {} ({} inline and {} attached policies)",
            world.service_role,
            live.service_role.inline.len(),
            live.service_role.attached.len(),
        ),
        format!(
            "  bucket        {} ({} statements in its policy)",
            world.bucket,
            count(&live.bucket_policy, "Statement")
        ),
        format!(
            "  key           {} ({} statements in its policy; the pipeline still uses aws/s3)",
            world.key_arn.rsplit('/').next().unwrap_or_default(),
            count(&live.key_policy, "Statement"),
        ),
        format!(
            "  builds        {} (projects with an encryption key: {})",
            BUILD_PROJECTS.join(", "),
            live.build_keys.values().flatten().count(),
        ),
        format!("B, target account {}", world.target.id()),
        format!(
            "  instance role {}, existing, of the EC2 instances that CodeDeploy deploys to",
            world.instance_role
        ),
    ];
    screen.say(&lines.join("\n"));
}

fn show_changes(screen: &mut Screen, world: &World<'_>, before: &Live, after: &Live) {
    let pipeline = |live: &Live| json!({"pipeline": live.pipeline, "tags": live.pipeline_tags});
    let documents = [
        ("key policy", before.key_policy.clone(), after.key_policy.clone()),
        ("bucket policy", before.bucket_policy.clone(), after.bucket_policy.clone()),
        (
            "service role's inline policies",
            json!(before.service_role.inline),
            json!(after.service_role.inline),
        ),
        ("keys of build projects", json!(before.build_keys), json!(after.build_keys)),
        ("pipeline", pipeline(before), pipeline(after)),
    ];
    for (title, old, new) in &documents {
        diff::print(screen, title, old, new);
    }
    for comparison in after.compare(before) {
        // The patch of a pipeline replaces, that of a policy only adds.
        if ["key policy", "bucket policy", "service role"].contains(&comparison.document) {
            let kept = !comparison.differences.is_empty()
                && comparison.differences.iter().all(|difference| difference.ends_with("is new"));
            let what = format!("{}: only additions, {} kept", comparison.document, comparison.compared);
            screen.check(kept, &what);
        }
    }
    let key = Some(world.key_arn.clone());
    let keyed =
        !after.build_keys.is_empty() && after.build_keys.values().all(|of_project| *of_project == key);
    screen.check(keyed, "build projects: all of them encrypt under the artifact key");
    let kept = without_patch(&after.pipeline) == without_patch(&before.pipeline);
    screen.check(kept, "pipeline: key and stage Production added, every other stage and member kept");
}

/// The pipeline less what the patch is to have changed.
fn without_patch(pipeline: &Value) -> Value {
    let mut rest = pipeline.clone();
    if let Some(members) = rest.as_object_mut() {
        members.remove("version");
    }
    if let Some(store) = rest.get_mut("artifactStore").and_then(Value::as_object_mut) {
        store.remove("encryptionKey");
    }
    if let Some(stages) = rest.get_mut("stages").and_then(Value::as_array_mut) {
        stages.retain(|stage| stage.get("name") != Some(&json!("Production")));
    }
    rest
}

fn show_restored(screen: &mut Screen, before: &Live, after: &Live) {
    for comparison in after.compare(before) {
        let same = comparison.differences.is_empty();
        let differences = comparison.differences.join(", ");
        let verdict = if same { "as before" } else { differences.as_str() };
        screen.check(same, &format!("{:<14} {:<44} {verdict}", comparison.document, comparison.compared));
    }
}
