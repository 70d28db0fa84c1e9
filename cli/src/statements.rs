//! `--statements`: how fixes show the statements to add.

use clap::{Args, ValueEnum};
use crosspipe_core::rules::StatementForm;

/// The option, for the subcommands that print fixes.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Statements {
    /// How fixes show the statements to add; scripts keep AWS's JSON
    #[arg(long = "statements", value_enum, default_value_t = Form::Json, value_name = "FORM")]
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// As AWS takes them
    Json,
    /// As blocks of Terraform's data source `aws_iam_policy_document`
    Terraform,
}

impl Statements {
    /// The form that was asked for.
    pub(crate) fn form(self) -> StatementForm {
        match self.form {
            Form::Json => StatementForm::Json,
            Form::Terraform => StatementForm::Terraform,
        }
    }
}
