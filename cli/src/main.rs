//! `crosspipe`: the judgement of Crosspipe from the command line.
//!
//! # Layout
//! - [`lint`], [`diagnose`], [`explain`]: one file per subcommand
//! - [`input`]: files that may hold any bytes, and where in them something is wrong
//! - [`locate`]: from a path such as `stages[1].actions[0]` to a line
//! - [`output`]: what a subcommand answers with
//!
//! Exit codes: 0 nothing at error level, 1 findings at error level, 2 unusable input or arguments.

mod diagnose;
mod explain;
mod input;
mod lint;
mod locate;
mod output;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Finds out why cross-account pipelines fail, before and after they do
#[derive(Parser)]
#[command(name = "crosspipe", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 nothing at error level, 1 findings at error level, 2 unusable input or arguments"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Lint(lint::Arguments),
    Diagnose(diagnose::Arguments),
    Explain(explain::Arguments),
}

fn main() -> ExitCode {
    let answer = match Arguments::parse().command {
        Command::Lint(arguments) => lint::run(&arguments),
        Command::Diagnose(arguments) => diagnose::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
    };
    answer.give()
}
