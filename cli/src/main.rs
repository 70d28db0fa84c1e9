//! `crosspipe`: the judgement of Crosspipe from the command line.
//!
//! # Layout
//! - [`init`], [`lint`], [`diagnose`], [`evaluate`], [`explain`], [`snapshot`], [`plan`],
//!   [`completions`]: the subcommands
//! - [`live`]: a pipeline as it is in AWS now
//! - [`input`]: files that may hold any bytes, and where in them something is wrong
//! - [`yaml`]: templates in YAML as JSON
//! - [`source_location`]: from a path such as `stages[1].actions[0]` to a line; [`excerpt`]: that line
//! - [`causes`]: findings by cause; [`page`]: a report as an HTML page
//! - [`output`]: what a subcommand answers with; [`text`]: text for people
//!
//! Exit codes: 0 nothing at error level, 1 findings at error level, 2 unusable input or arguments.

mod causes;
mod completions;
mod diagnose;
mod evaluate;
mod excerpt;
mod explain;
mod init;
mod input;
mod lint;
mod live;
mod output;
mod page;
mod plan;
mod snapshot;
mod source_location;
mod statements;
mod text;
mod yaml;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

const HELP: &str = "\
Examples:
  crosspipe init --pipeline my-pipeline --target-accounts 222222222222,333333333333
  crosspipe lint --pipeline my-pipeline --diagnostics-role CrosspipeDiagnosticsRole
  crosspipe snapshot --pipeline my-pipeline --diagnostics-role CrosspipeDiagnosticsRole > snapshot.json
  crosspipe lint snapshot.json
  crosspipe diagnose --event event.json --snapshot snapshot.json
  crosspipe explain KM001
  crosspipe plan grant.json

Exit codes: 0 nothing at error level, 1 findings at error level, 2 unusable input or arguments";

/// Finds out why cross-account pipelines fail, before and after they do
#[derive(Parser)]
#[command(name = "crosspipe", version, max_term_width = 100)]
#[command(
    after_help = HELP
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Arguments),
    Lint(lint::Arguments),
    Diagnose(diagnose::Arguments),
    Snapshot(snapshot::Arguments),
    Plan(plan::Arguments),
    Evaluate(evaluate::Arguments),
    Explain(explain::Arguments),
    Completions(completions::Arguments),
}

fn main() -> ExitCode {
    let answer = match Arguments::parse().command {
        Command::Init(arguments) => init::run(&arguments),
        Command::Lint(arguments) => lint::run(&arguments),
        Command::Diagnose(arguments) => diagnose::run(&arguments),
        Command::Snapshot(arguments) => snapshot::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Completions(arguments) => completions::run::<Arguments>(&arguments),
    };
    answer.give()
}
