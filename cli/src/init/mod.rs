//! `crosspipe init`: the commands that open pipelines as they are to other accounts.
//!
//! # Layout
//! - this file: what is asked for
//! - [`commands`]: the parameters of the templates as commands of SAM CLI and the AWS CLI

mod commands;

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use crosspipe_core::arn::is_account_id;
use crosspipe_core::setup::{self, MovedAction, TARGET_ROLE_NAME, Targets, Wishes};
use crosspipe_core::snapshot::Snapshot;

use crate::input::Document;
use crate::live;
use crate::output::Answer;

const EXPECTED: &str = "a snapshot, or the output of `aws codepipeline get-pipeline --name <pipeline>`";

const EXAMPLES: &str = "\
Examples:
  crosspipe init --pipeline orders --target-accounts 222222222222,333333333333
  crosspipe init --pipeline orders --pipeline billing --organization o-a1b2c3d4e5
  crosspipe init --pipeline orders --organization o-a1b2c3d4e5 --action Deploy/Production=222222222222
  crosspipe init --snapshot snapshot.json --target-accounts 222222222222 > open.sh

It only reads, and prints what to run. What it could not know is on standard error. One installation serves all
pipelines of an account and Region: give them all, each as --pipeline.

Exit codes: 0 the commands are printed, 2 a pipeline or an argument that can't be used";

/// Prints the commands that install Crosspipe and open pipelines to other accounts, every parameter filled in
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[command(group(ArgGroup::new("source").required(true).args(["pipelines", "snapshots"])))]
#[command(group(ArgGroup::new("targets").required(true).args(["target_accounts", "organization"])))]
pub(crate) struct Arguments {
    /// A pipeline to read from AWS; may be given several times
    #[arg(long = "pipeline", value_name = "NAME")]
    pipelines: Vec<String>,
    /// Reads a pipeline from this snapshot or `get-pipeline` output instead; `-` is standard input
    #[arg(long = "snapshot", value_name = "FILE")]
    snapshots: Vec<PathBuf>,
    /// The pipelines' Region
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Opens them to these accounts
    #[arg(long, value_name = "ID,…", value_delimiter = ',', value_parser = account)]
    target_accounts: Vec<String>,
    /// Opens them to the roles of the name --target-role-name in this organization
    #[arg(long, value_name = "ID", value_parser = organization)]
    organization: Option<String>,
    /// Only to these parts of it
    #[arg(long, value_name = "PATH,…", value_delimiter = ',', requires = "organization", value_parser = organization_path)]
    organization_paths: Vec<String>,
    /// The role that actions assume in target accounts
    #[arg(long, value_name = "NAME", default_value = TARGET_ROLE_NAME, value_parser = role_name)]
    target_role_name: String,
    /// Has an existing action run in a target account; may be given several times
    #[arg(long = "action", value_name = "STAGE/ACTION=ACCOUNT", value_parser = moved_action)]
    actions: Vec<MovedAction>,
    /// The artifact key of a Region, for a pipeline that names none; may be given several times
    #[arg(long = "key-arn", value_name = "ARN")]
    key_arns: Vec<String>,
    /// Who gets the failure reports
    #[arg(long, value_name = "ADDRESS")]
    alert_email: Option<String>,
}

/// Reads the pipelines and prints the commands.
pub(crate) fn run(arguments: &Arguments) -> Answer {
    let (mut snapshots, mut notes, mut problems): (Vec<Snapshot>, _, _) = (vec![], vec![], vec![]);
    for file in &arguments.snapshots {
        match Document::read(file, EXPECTED).and_then(|document| document.snapshot()) {
            Ok(snapshot) => snapshots.push(snapshot),
            Err(problem) => problems.push(problem.to_string()),
        }
    }
    for name in &arguments.pipelines {
        match live::read_home(name, arguments.region.as_deref()) {
            Ok(live) => {
                snapshots.push(live.snapshot);
                notes.extend(live.notes);
            }
            Err(problem) => problems.push(problem.to_string()),
        }
    }
    if !problems.is_empty() {
        return Answer { problems, notes, ..Answer::default() };
    }
    match setup::plan(&snapshots, &wishes(arguments)) {
        Ok(setup) => {
            notes.extend(setup.unknown.iter().map(|what| format!("not known: {what}")));
            Answer { notes, ..Answer::of(commands::show(&setup, &targets(arguments))) }
        }
        Err(error) => Answer { notes, ..Answer::unusable(error) },
    }
}

fn targets(arguments: &Arguments) -> Targets {
    match &arguments.organization {
        Some(id) => Targets::Organization { id: id.clone(), paths: arguments.organization_paths.clone() },
        None => Targets::Accounts(arguments.target_accounts.clone()),
    }
}

fn wishes(arguments: &Arguments) -> Wishes {
    Wishes {
        targets: targets(arguments),
        target_role_name: arguments.target_role_name.clone(),
        moved_actions: arguments.actions.clone(),
        key_arns: arguments.key_arns.clone(),
        alert_email: arguments.alert_email.clone(),
        region: arguments.region.clone(),
    }
}

fn account(text: &str) -> Result<String, String> {
    if is_account_id(text) { Ok(text.to_owned()) } else { Err("give account ids of 12 digits".into()) }
}

fn organization(text: &str) -> Result<String, String> {
    let id = text.strip_prefix("o-").filter(|id| (10..=32).contains(&id.len()) && is_lower_alphanumeric(id));
    id.map(|_| text.to_owned()).ok_or_else(|| "give an organization id, o-…".into())
}

fn organization_path(text: &str) -> Result<String, String> {
    let mut parts = text.trim_end_matches(['*', '/']).split('/');
    let begins_well = parts.next().is_some_and(|it| organization(it).is_ok())
        && parts.next().and_then(|it| it.strip_prefix("r-")).is_some_and(is_lower_alphanumeric);
    let is_unit = |it: &str| {
        it.strip_prefix("ou-")
            .and_then(|it| it.split_once('-'))
            .is_some_and(|(root, unit)| is_lower_alphanumeric(root) && is_lower_alphanumeric(unit))
    };
    let ends_well = text.ends_with('/') || text.ends_with("/*");
    if begins_well && parts.all(is_unit) && ends_well {
        return Ok(text.to_owned());
    }
    Err("give a path such as o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*".into())
}

fn role_name(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+.@-".contains(c);
    if (1..=64).contains(&text.len()) && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    Err("give the name of a role without path, comma or equals sign".into())
}

fn moved_action(text: &str) -> Result<MovedAction, String> {
    let parts = text.split_once('=').and_then(|(name, account)| {
        let (stage, action) = name.split_once('/')?;
        let account = Some(account).filter(|it| is_account_id(it))?;
        Some(MovedAction { stage: stage.into(), action: action.into(), account: account.into() })
    });
    parts.ok_or_else(|| "give STAGE/ACTION=ACCOUNT, the account as 12 digits".into())
}

fn is_lower_alphanumeric(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}
