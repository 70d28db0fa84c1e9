//! The shell blocks of the documentation, as bash splits them and as each tool reads its own arguments.
//!
//! bash runs each block with the tools replaced by functions that print their arguments, so quoting and variables are
//! resolved as on a reader's machine. What the AWS CLI and SAM CLI get is then read by their own code.

use std::collections::BTreeMap;
use std::process::Command;

use regex::Regex;
use serde_json::Value;

use crate::reading::{PIPELINE, TARGET, TEMPLATES, TOOLS, VENV, object, read, root};

/// Pages with commands that a reader runs against AWS or in this repository.
const PAGES: [&str; 6] = [
    "README.md",
    "differential/README.md",
    "docs/contributing.md",
    "docs/faults.md",
    "docs/operations.md",
    "docs/performance.md",
];
/// Folders that have pages.
const FOLDERS: [&str; 6] = ["", "accuracy", "differential", "docs", "fuzz", "tests/local-aws"];
/// Programs that the pages call; everything else in a block is a mistake.
const TOOLS_IN_BLOCKS: [&str; 6] = [".ci/run", "aws", "cargo", "jq", "rustup", "sam"];

/// The arguments of every command in the shell blocks of a page, the program first. Blocks of one page share variables.
fn read_commands(page: &str) -> Vec<Vec<String>> {
    let text = read(page);
    let blocks: Vec<&str> = text
        .split("```sh\n")
        .skip(1)
        .map(|rest| rest.split_once("```").unwrap_or_else(|| panic!("{page}: a block does not end")).0)
        .collect();
    if blocks.is_empty() {
        return vec![];
    }
    let print =
        |tool: &&str| format!("{tool}() {{ printf '%s\\0' {tool} \"$@\" >&3; printf '\\n\\0' >&3; }}\n");
    let stubs: String = TOOLS_IN_BLOCKS.iter().map(print).collect();
    // Variables that a page asks its reader to set by hand.
    let variables = "DEAD_LETTERS=https://sqs.eu-west-1.amazonaws.com/111111111111/q REPORTER=reporter\n";
    let script = format!("set -eu\nPATH=\n{variables}{stubs}{}", blocks.concat());
    let output = Command::new("/bin/bash")
        .args(["-c", &format!("{{\n{script}\n}} 3>&1 >/dev/null")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{page}: {}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let commands = printed.split("\n\0").filter(|command| !command.is_empty());
    commands.map(|command| command.split_terminator('\0').map(str::to_owned).collect()).collect()
}

/// The commands of one program in all pages.
fn commands_of(tool: &str) -> Vec<(&'static str, Vec<String>)> {
    let of_page = |page| read_commands(page).into_iter().map(move |command| (page, command));
    PAGES.into_iter().flat_map(of_page).filter(|(_, command)| command[0] == tool).collect()
}

/// Runs a Python script of the environment that has the tools.
fn run_python(script: &str, arguments: &[String]) -> Result<String, String> {
    let output = Command::new(VENV.python())
        .args(["-c", script])
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// The parameters that `--parameter-overrides` passes, as SAM CLI's own parser reads them.
fn read_overrides(command: &[String]) -> BTreeMap<String, String> {
    let script = "import json, sys\nfrom samcli.cli.types import CfnParameterOverridesType\n\
                  print(json.dumps(CfnParameterOverridesType().convert(tuple(sys.argv[1:]), None, None)))";
    let values = command.iter().skip_while(|it| *it != "--parameter-overrides").skip(1);
    let values: Vec<String> = values.take_while(|it| !it.starts_with("--")).cloned().collect();
    serde_json::from_str(&run_python(script, &values).unwrap()).unwrap()
}

/// What is wrong with the parameters that a command gives a template.
pub(crate) fn check_parameters(
    template: &str,
    given: &BTreeMap<String, String>,
    is_complete: bool,
) -> Vec<String> {
    let parameters = object(&TEMPLATES[template]["Parameters"]);
    let mut problems = vec![];
    for (name, value) in given {
        let Some(parameter) = parameters.get(name) else {
            problems.push(format!("{name} is no parameter"));
            continue;
        };
        let values: Vec<&str> =
            if parameter["Type"] == "CommaDelimitedList" { value.split(',').collect() } else { vec![value] };
        for value in values {
            let fits_pattern = parameter["AllowedPattern"]
                .as_str()
                .is_none_or(|pattern| Regex::new(&format!("^(?:{pattern})$")).unwrap().is_match(value));
            let is_listed = parameter["AllowedValues"].as_array().is_none_or(|allowed| {
                allowed.iter().any(|it| {
                    it.as_str() == Some(value) || (it.is_u64() && it.as_u64() == value.parse().ok())
                })
            });
            if !fits_pattern || !is_listed {
                problems.push(format!("{name} can't be `{value}`"));
            }
        }
    }
    let lacks = |(name, parameter): &(&String, &Value)| {
        parameter.get("Default").is_none() && !given.contains_key(*name)
    };
    if is_complete {
        problems.extend(parameters.iter().filter(lacks).map(|(name, _)| format!("{name} is not given")));
    }
    problems
}

/// Has the AWS CLI check a command's parameters against the service's model. It can reach no service, and says so only
/// once the parameters are right.
fn check_with_aws_cli(command: &[String]) -> Result<(), String> {
    // Version 1, which PyPI has, takes payloads as they are; version 2 needs these two words for it.
    let only_version_2 = ["--cli-binary-format", "raw-in-base64-out"];
    let output = Command::new(VENV.commands().join("aws"))
        .args(command[1..].iter().filter(|it| !only_version_2.contains(&it.as_str())))
        .args(["--endpoint-url", "http://127.0.0.1:9", "--region", "eu-west-1"])
        .current_dir(root())
        .envs([("AWS_ACCESS_KEY_ID", "none"), ("AWS_SECRET_ACCESS_KEY", "none"), ("AWS_MAX_ATTEMPTS", "1")])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    if text.contains("Could not connect to the endpoint URL") { Ok(()) } else { Err(text) }
}

#[test]
fn every_page_with_commands_is_read() {
    let pages = FOLDERS.into_iter().flat_map(|folder| {
        let entries = std::fs::read_dir(root().join(folder)).unwrap().map(|it| it.unwrap().file_name());
        entries.map(move |name| format!("{folder}/{}", name.display()).trim_start_matches('/').to_owned())
    });
    let mut with_commands: Vec<String> =
        pages.filter(|page| page.ends_with(".md") && read(page).contains("```sh\n")).collect();
    with_commands.sort();
    assert_eq!(with_commands, PAGES);
}

#[test]
fn aws_commands_fit_their_service() {
    let commands = commands_of("aws");
    assert!(commands.len() >= 3, "the pages have commands of the AWS CLI: {commands:?}");
    for (page, command) in commands {
        if let Err(problem) = check_with_aws_cli(&command) {
            panic!("{page}: {}: {problem}", command.join(" "));
        }
    }
    for wrong in ["aws cloudformation create-stack-set --no-such-option x", "aws sqs receive-message"] {
        let wrong: Vec<String> = wrong.split(' ').map(str::to_owned).collect();
        check_with_aws_cli(&wrong).unwrap_err();
    }
}

#[test]
fn sam_parameters_arrive_as_written() {
    let commands = commands_of("sam");
    let deploys = commands.iter().filter(|(_, command)| command[1] == "deploy");
    assert!(deploys.clone().count() >= 1, "README deploys with SAM");
    for (page, command) in deploys {
        let problems = check_parameters(TOOLS, &read_overrides(command), true);
        assert!(problems.is_empty(), "{page}: {}: {problems:?}", command.join(" "));
    }
}

/// Parameters of a stack set, as the AWS CLI's own parser of shorthand reads them.
fn read_shorthand(values: &[&String]) -> BTreeMap<String, String> {
    let script = "import json, sys\nfrom awscli.shorthand import ShorthandParser\n\
                  read = [ShorthandParser().parse(it) for it in sys.argv[1:]]\n\
                  print(json.dumps({it['ParameterKey']: it['ParameterValue'] for it in read}))";
    let values: Vec<String> = values.iter().map(|it| (*it).clone()).collect();
    serde_json::from_str(&run_python(script, &values).unwrap()).unwrap()
}

/// The template's name and the parameters of a command of the AWS CLI that deploys one.
fn read_cloudformation_parameters(command: &[String]) -> Option<(&str, BTreeMap<String, String>)> {
    let template = command.iter().find_map(|it| {
        let name = it.strip_prefix("file://").unwrap_or(it);
        [PIPELINE, TARGET].into_iter().find(|template| *template == name)
    })?;
    let values =
        command.iter().skip_while(|it| !["--parameters", "--parameter-overrides"].contains(&it.as_str()));
    let pairs = values.skip(1).take_while(|it| !it.starts_with("--"));
    let (long, short): (Vec<&String>, Vec<&String>) = pairs.partition(|it| it.starts_with("ParameterKey="));
    let short = short.into_iter().map(|it| it.split_once('=').expect("NAME=VALUE"));
    let short = short.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let pairs = short.chain(read_shorthand(&long));
    Some((template, pairs.collect()))
}

#[test]
fn aws_cli_deploys_with_known_parameters() {
    let commands = commands_of("aws");
    let mut seen = vec![];
    for (page, command) in &commands {
        let Some((template, parameters)) = read_cloudformation_parameters(command) else { continue };
        let problems = check_parameters(template, &parameters, true);
        assert!(problems.is_empty(), "{page}: {}: {problems:?}", command.join(" "));
        seen.push(template);
    }
    assert!(seen.contains(&PIPELINE) && seen.contains(&TARGET), "{seen:?}");
    let wrong =
        ["aws", "--template-file", PIPELINE, "--parameter-overrides", "PipelineName=a/b"].map(str::to_owned);
    let (template, parameters) = read_cloudformation_parameters(&wrong).unwrap();
    assert!(check_parameters(template, &parameters, false)[0].contains("PipelineName can't be"));
}

#[test]
fn quoted_overrides_in_text_arrive_whole() {
    // What is given in the text, beside the blocks: `'Name="some value"'`.
    let quoted = Regex::new(r#"`'([A-Za-z]+="[^"`]*")'`"#).unwrap();
    let unquoted = Regex::new(r#"`[A-Za-z]+="[^"`]* [^"`]*"`"#).unwrap();
    let text = read("README.md");
    let mut seen = 0;
    for found in quoted.captures_iter(&text) {
        seen += 1;
        let command = ["sam", "deploy", "--parameter-overrides", &found[1]].map(str::to_owned);
        let problems = check_parameters(TOOLS, &read_overrides(&command), false);
        assert!(problems.is_empty(), "{}: {problems:?}", &found[1]);
    }
    assert!(seen >= 1, "README gives a value with a space");
    assert_eq!(unquoted.find(&text).map(|it| it.as_str()), None, "SAM CLI would cut this at the space");
}

#[test]
fn cargo_commands_exist() {
    let aliases = read(".cargo/config.toml");
    for (page, command) in commands_of("cargo") {
        let name = command[1].as_str();
        let is_alias = aliases.lines().any(|line| line.starts_with(&format!("{name} = ")));
        assert!(is_alias || ["bench", "build", "run", "test"].contains(&name), "{page}: cargo {name}");
    }
}

#[test]
fn planted_faults_are_found() {
    let command = |value: &str| ["sam", "deploy", "--parameter-overrides", value].map(str::to_owned);
    let cut = read_overrides(&command("WatchSchedule=rate(6 hours)"));
    assert_eq!(cut["WatchSchedule"], "rate(6", "SAM CLI cuts an unquoted value at its space");
    assert_eq!(check_parameters(TOOLS, &cut, false), ["WatchSchedule can't be `rate(6`"]);
    let unknown = BTreeMap::from([("WatchShedule".to_owned(), String::new())]);
    assert_eq!(check_parameters(TOOLS, &unknown, false), ["WatchShedule is no parameter"]);
}
