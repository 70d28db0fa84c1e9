use crate::run;

#[test]
fn completions_cover_all_subcommands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = run(&["completions", shell]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        for name in ["lint", "diagnose", "snapshot", "evaluate", "explain", "--diagnostics-role"] {
            let name = if shell == "fish" { name.trim_start_matches('-') } else { name };
            assert!(ran.out.contains(name), "`{name}` is not in the script for {shell}");
        }
    }
    run(&["completions", "cmd"]).unusable(&["cmd", "bash"]);
}

#[test]
fn the_script_for_bash_is_one() {
    let script = crate::file(run(&["completions", "bash"]).out);
    let Ok(checked) = std::process::Command::new("bash").args(["-n", script.path()]).status() else { return };
    assert!(checked.success());
}

#[test]
fn every_subcommand_shows_examples() {
    assert!(run(&["--help"]).out.contains("Examples:"));
    for subcommand in ["init", "lint", "diagnose", "snapshot", "evaluate", "explain", "completions"] {
        let ran = run(&[subcommand, "--help"]);
        assert_eq!(ran.code, Some(0));
        let example = format!("crosspipe {subcommand}");
        let examples = ran.out.split_once("Examples:").unwrap_or_else(|| panic!("{}", ran.out)).1;
        assert!(examples.contains(&example), "{examples}");
    }
}
