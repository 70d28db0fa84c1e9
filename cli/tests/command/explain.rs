use crosspipe_core::rules::ALL;

use crate::run;

#[test]
fn every_rule_has_a_page() {
    let list = run(&["explain", "list"]);
    assert_eq!((list.code, list.out.lines().count()), (Some(0), ALL.len()), "{}", list.err);
    for rule in ALL {
        assert!(
            list.out.contains(rule.id.as_str())
                && list.out.contains(rule.name)
                && list.out.contains(rule.summary)
        );
        let page = run(&["explain", rule.id.as_str()]);
        assert!(
            page.out.starts_with(&format!("# {}: {}\n", rule.id.as_str(), rule.name)),
            "{}{}",
            page.out,
            page.err
        );
        assert!(page.out.contains("## How to fix") && page.out.contains(rule.sources[0]), "{}", page.out);
        assert_eq!(run(&["explain", rule.name]).out, page.out);
        assert_eq!(run(&["explain", &rule.id.as_str().to_lowercase()]).out, page.out);
    }
}

#[test]
fn unknown_rule_suggests_nearest() {
    run(&["explain", "KM01"]).unusable(&["KM01", "KM001"]);
}
