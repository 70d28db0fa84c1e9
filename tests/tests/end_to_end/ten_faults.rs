//! The ten most frequent faults, and a denial that somebody adds, one after the other in one scene: the pipeline
//! fails, the alert names the fault, its printed fix is pasted as it is into a shell of the account that it names, and the next run succeeds.

use crosspipe_e2e::Account;
use crosspipe_e2e::world::World;
use serde_json::{Value, json};

use crate::alerts::Listening;

pub(crate) mod inject;
mod kept;

use kept::Documents;

/// Which account the fix belongs to.
#[derive(Clone, Copy)]
enum In {
    Tools,
    Target,
}

struct Fault {
    what: &'static str,
    inject: fn(&World<'_>),
    rule: &'static str,
    fixed: In,
    /// Statements that the fix may change: those that deny.
    changed: usize,
}

#[rustfmt::skip]
const FAULTS: [Fault; 11] = [
    Fault { what: "the bucket policy omits the target account", inject: inject::bucket_policy_omits_target, rule: "S3001", fixed: In::Tools, changed: 0 },
    Fault { what: "the key policy omits the target account", inject: inject::key_policy_omits_target, rule: "KM001", fixed: In::Tools, changed: 0 },
    Fault { what: "the service role may not assume the action role", inject: inject::service_role_may_not_assume, rule: "IA001", fixed: In::Tools, changed: 0 },
    Fault { what: "the action role does not trust the service role", inject: inject::trust_omits_service_role, rule: "IA002", fixed: In::Target, changed: 0 },
    Fault { what: "the action role may not use the key", inject: inject::target_role_without_key, rule: "IA004", fixed: In::Target, changed: 0 },
    Fault { what: "the action role may not read artifacts", inject: inject::target_role_without_bucket, rule: "IA005", fixed: In::Target, changed: 0 },
    Fault { what: "the action role may not deploy", inject: inject::target_role_without_codedeploy, rule: "IA006", fixed: In::Target, changed: 0 },
    Fault { what: "the key is given by its id", inject: inject::key_by_id, rule: "PL002", fixed: In::Tools, changed: 0 },
    Fault { what: "the key is disabled", inject: inject::key_disabled, rule: "KM003", fixed: In::Tools, changed: 0 },
    Fault { what: "the instances may not download the revision", inject: inject::instances_without_artifacts, rule: "IA007", fixed: In::Target, changed: 0 },
    Fault { what: "somebody denies other accounts", inject: inject::deny_other_accounts, rule: "S3002", fixed: In::Tools, changed: 1 },
];

#[test]
fn printed_fixes_resolve_ten_faults() {
    let listening = Listening::start();
    let world = &listening.scene.world;
    assert_eq!(listening.run_to_its_end(), "Succeeded", "before there is any fault");
    let pipeline = listening.scene.live().pipeline;

    for fault in &FAULTS {
        let what = format!("{} ({})", fault.what, fault.rule);
        (fault.inject)(world);
        assert_eq!(listening.run_to_its_end(), "Failed", "{what}");

        let alert = listening.alert().unwrap_or_else(|| panic!("no alert: {what}"));
        let report = listening.report().unwrap_or_else(|| panic!("no report: {what}"));
        let cause = &report["rootCause"];
        assert_eq!(
            (&cause["rule"], &cause["confidence"]),
            (&json!(fault.rule), &json!("confirmed")),
            "{what}: {}, because {}\n{}",
            cause["message"],
            cause["because"],
            report["deployment"],
        );

        let before = Documents::of(world);
        let account = match fault.fixed {
            In::Tools => &world.tools,
            In::Target => &world.target,
        };
        paste(account, alert["Message"].as_str().unwrap(), cause["fix"].as_str().unwrap(), &what);
        assert_eq!(listening.run_to_its_end(), "Succeeded", "after the fix: {what}\n{}", cause["fix"]);
        assert_eq!(Documents::of(world).lost(&before), fault.changed, "statements that were there: {what}");
        assert_eq!(
            without_version(listening.scene.live().pipeline),
            without_version(pipeline.clone()),
            "{what}"
        );
        assert!(listening.subscriber.notifications().is_empty(), "more than one alert: {what}");
    }
}

/// Pastes the script of a fix as the alert prints it.
fn paste(account: &Account<'_>, alert: &str, fix: &str, what: &str) {
    let script =
        fix.split("\n\n").find(|part| part.starts_with("# in ")).unwrap_or_else(|| panic!("{what}: {fix}"));
    let at = alert.find(script).unwrap_or_else(|| panic!("{what}: the script is not in the alert:\n{alert}"));
    let printed = &alert[at..at + script.len()];
    let heading = format!("# in account {}\n", account.id());
    assert!(printed.starts_with(&heading), "{what}: {printed}");
    account.paste(printed).unwrap_or_else(|error| panic!("{what}: {error}"));
}

fn without_version(mut pipeline: Value) -> Value {
    pipeline.as_object_mut().unwrap().remove("version");
    pipeline
}
