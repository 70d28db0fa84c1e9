use crosspipe_core::rules::quoted;
use crosspipe_core::setup::{Parameters, Setup, Targets};

/// The stack of template.yaml, as pipeline.yaml expects it.
const INSTALLATION: &str = "crosspipe";
/// The stack set of target-account.yaml.
const STACK_SET: &str = "crosspipe-target";

/// By default a stack set takes one account after the other, and stops at the first that fails. See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackSetOperationPreferences.html>.
const PREFERENCES: &str = "--operation-preferences MaxConcurrentPercentage=25,FailureTolerancePercentage=25";

/// The commands, in the order in which they are to run, with a comment before each.
pub(super) fn show(setup: &Setup, targets: &Targets) -> String {
    let Setup { account, region, .. } = setup;
    let names: Vec<&str> = setup.pipelines.iter().map(|(name, _)| name.as_str()).collect();
    let mut text = format!("# Install, in account {account}, from the folder of the templates.\nsam build\n");
    text += &command(
        &format!(
            "sam deploy --stack-name {INSTALLATION} --region {region} --resolve-s3 \\\n  \
             --capabilities CAPABILITY_NAMED_IAM CAPABILITY_AUTO_EXPAND \\\n  --parameter-overrides"
        ),
        &setup.installation,
        sam_override,
    );
    text += &format!("\n# Prepare the target accounts. {}\n", where_to_prepare(account, targets));
    text += &command(
        &format!(
            "aws cloudformation create-stack-set --stack-set-name {STACK_SET} --region {region} \\\n  \
             --template-body file://target-account.yaml --capabilities CAPABILITY_NAMED_IAM \\\n  {} \\\n  --parameters",
            permission_model(targets)
        ),
        &setup.target_account,
        stack_set_parameter,
    );
    text += &format!(
        "aws cloudformation create-stack-instances --stack-set-name {STACK_SET} --region {region} \\\n  \
         {} --regions {region} \\\n  {PREFERENCES}\n",
        deployment_targets(targets)
    );
    for ((name, parameters), shown) in setup.pipelines.iter().zip(names) {
        text += &format!(
            "\n# Open pipeline {shown}, in account {account}, once the stack set has reached the accounts.\n"
        );
        let stack = format!("{INSTALLATION}-{}", name.replace(['.', '@', '_'], "-"));
        text += &command(
            &format!(
                "aws cloudformation deploy --stack-name {stack} --region {region} \\\n  \
                 --template-file pipeline.yaml --capabilities CAPABILITY_IAM --parameter-overrides"
            ),
            parameters,
            |name, value| format!("{name}={value}"),
        );
    }
    text
}

/// A command with a parameter on each line.
fn command(start: &str, parameters: &Parameters, written: impl Fn(&str, &str) -> String) -> String {
    let lines = parameters.iter().map(|(name, value)| format!(" \\\n    {}", quoted(&written(name, value))));
    format!("{start}{}\n", lines.collect::<String>())
}

/// SAM CLI splits at spaces, and takes off double quotes.
fn sam_override(name: &str, value: &str) -> String {
    if value.is_empty() || value.contains([' ', '"', '\'', '\\']) {
        return format!("{name}=\"{}\"", value.replace('\\', r"\\").replace('"', "\\\""));
    }
    format!("{name}={value}")
}

/// The AWS CLI's shorthand, in which a comma ends a value that is not in quotes.
/// See <https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-shorthand.html>.
fn stack_set_parameter(name: &str, value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_+.@:/*-".contains(c);
    if !value.is_empty() && value.chars().all(is_plain) {
        return format!("ParameterKey={name},ParameterValue={value}");
    }
    let value = value.replace('\\', r"\\").replace('"', "\\\"");
    format!("ParameterKey={name},ParameterValue=\"{value}\"")
}

fn where_to_prepare(account: &str, targets: &Targets) -> String {
    match targets {
        Targets::Accounts(_) => format!(
            "In account {account}, which needs the StackSet roles for\n# self-managed permissions; without them, deploy \
             target-account.yaml with these parameters as a stack in each account."
        ),
        Targets::Organization { .. } => {
            "In the organization's management account, or as a delegated\n# administrator with --call-as \
             DELEGATED_ADMIN."
                .into()
        }
    }
}

fn permission_model(targets: &Targets) -> &'static str {
    match targets {
        Targets::Accounts(_) => "--permission-model SELF_MANAGED",
        Targets::Organization { .. } => {
            "--permission-model SERVICE_MANAGED --auto-deployment Enabled=true,RetainStacksOnAccountRemoval=false"
        }
    }
}

fn deployment_targets(targets: &Targets) -> String {
    let units = match targets {
        Targets::Accounts(accounts) => return format!("--accounts {}", accounts.join(" ")),
        Targets::Organization { paths, .. } => paths.iter().filter_map(|path| last_unit(path)),
    };
    let units: Vec<&str> = units.collect();
    if units.is_empty() {
        return "--deployment-targets \\\n  OrganizationalUnitIds=\"$(aws organizations list-roots --query \
                'Roots[0].Id' --output text)\""
            .into();
    }
    format!("--deployment-targets OrganizationalUnitIds={}", units.join(","))
}

/// The unit or root that an organization's path ends with.
fn last_unit(path: &str) -> Option<&str> {
    path.trim_end_matches(['*', '/']).rsplit('/').next().filter(|unit| !unit.is_empty())
}
