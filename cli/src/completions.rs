//! `crosspipe completions`: a script that lets a shell complete subcommands, options and rules.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use crate::output::Answer;

const EXAMPLES: &str = "\
Examples:
  crosspipe completions bash > ~/.local/share/bash-completion/completions/crosspipe
  crosspipe completions zsh > ~/.zfunc/_crosspipe
  crosspipe completions fish > ~/.config/fish/completions/crosspipe.fish";

/// Writes a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Writes the script for the command `C`.
pub(crate) fn run<C: CommandFactory>(arguments: &Arguments) -> Answer {
    let mut script = vec![];
    generate(arguments.shell, &mut C::command(), "crosspipe", &mut script);
    Answer::of(String::from_utf8_lossy(&script).into_owned())
}
