//! Text that is too long, and text that tries to be something else: in every place of an alert.

use crosspipe_core::alerts::{Alert, Cause, Done, Evidence, Kind, Link, chat, email, slack};
use crosspipe_core::diagnosis::Confidence;
use serde_json::Value;

const TEXT: &str = "<!channel> <https://evil.example|click> [click](https://evil.example) *b* _i_ ~s~ `c` ```\nFix\n---\n&lt;script&gt;<b>\u{202e}\u{1b}[31m @here é";

/// Hostile everywhere.
pub(crate) fn alert() -> Alert {
    let cause = |rule: &str| Cause {
        rule: rule.into(),
        confidence: Some(Confidence::Possible),
        message: TEXT.into(),
        because: TEXT.into(),
        fix: format!("{TEXT}\n{}", "é&<".repeat(4_000)),
        script: Some(TEXT.into()),
    };
    Alert {
        id: "a-1".into(),
        thread: "e-1".into(),
        kind: Kind::ActionFailed,
        subject: TEXT.into(),
        headline: TEXT.into(),
        cause: Some(cause("KM001")),
        further: (1..=9).map(|index| cause(&format!("S300{index}"))).collect(),
        done: Some(Done { outcome: TEXT.into(), steps: vec![TEXT.into(); 50] }),
        links: vec![
            Link { name: TEXT.into(), url: "https://example.com/a|b>c?d&e".into() },
            Link { name: "too long".into(), url: format!("https://example.com/{}", "x".repeat(4_000)) },
        ],
        evidence: (1..=60).map(|index| Evidence::new(format!("line {index}"), TEXT.repeat(20))).collect(),
        resources: vec![],
        attributes: vec![("pipeline", TEXT.into())],
    }
}

/// One part of an alert, filled.
fn places(text: &str) -> Vec<(&'static str, Alert)> {
    let fill = |place: &mut String| text.clone_into(place);
    let with = |name, change: &dyn Fn(&mut Alert)| {
        let mut alert = Alert::from(&crate::reports::possible());
        change(&mut alert);
        (name, alert)
    };
    vec![
        with("subject", &|alert| fill(&mut alert.subject)),
        with("headline", &|alert| fill(&mut alert.headline)),
        with("rule", &|alert| fill(&mut alert.cause.as_mut().unwrap().rule)),
        with("because", &|alert| fill(&mut alert.cause.as_mut().unwrap().because)),
        with("fix", &|alert| fill(&mut alert.cause.as_mut().unwrap().fix)),
        with("script", &|alert| fill(alert.cause.as_mut().unwrap().script.as_mut().unwrap())),
        with("further", &|alert| fill(&mut alert.further[0].message)),
        with("link", &|alert| fill(&mut alert.links[0].name)),
        with("url", &|alert| fill(&mut alert.links[0].url)),
        with("evidence", &|alert| fill(&mut alert.evidence[0].text)),
    ]
}

fn characters(text: &Value) -> usize {
    text.as_str().unwrap().chars().count()
}

/// Every text that Slack reads as markup; `plain_text` it does not.
fn slack_markup(alert: &Alert) -> Vec<String> {
    let message = slack::message(alert);
    let blocks = message["blocks"].as_array().unwrap().iter().map(|block| &block["text"]);
    let markup = blocks.filter(|text| text["type"] == "mrkdwn").map(|text| &text["text"]);
    markup.chain([&message["text"]]).map(|text| text.as_str().unwrap().to_owned()).collect()
}

#[test]
fn long_text_stays_within_limits() {
    for long in ["x", "é", "&", "<\n", "`", "\u{1f4a5}", "]("] {
        for (place, alert) in places(&long.repeat(20_000)).into_iter().chain([("all", alert())]) {
            let subject = email::subject(&alert);
            assert!(subject.is_ascii() && subject.len() <= 100, "{place}: {subject}");
            assert!(email::body(&alert).len() < 256 * 1024, "{place}");
            let chat = chat::message(&alert);
            assert!((1..=250).contains(&characters(&chat["content"]["title"])), "{place}");
            assert!((1..=8_000).contains(&characters(&chat["content"]["description"])), "{place}");
            assert!(chat.to_string().len() < 256 * 1024, "{place}");
            let slack = slack::message(&alert);
            let blocks = slack["blocks"].as_array().unwrap();
            assert!(blocks.len() <= 50, "{place}");
            for block in blocks {
                let limit = if block["type"] == "header" { 150 } else { 3_000 };
                assert!((1..=limit).contains(&characters(&block["text"]["text"])), "{place}: {block}");
            }
            let all: usize = blocks.iter().map(|block| characters(&block["text"]["text"])).sum();
            assert!(all <= 13_000, "{place}: {all}");
        }
    }
}

#[test]
fn cut_text_says_so() {
    let alert = alert();
    assert!(email::subject(&alert).ends_with("... [KM001]"), "{}", email::subject(&alert));
    let (chat, slack) = (chat::message(&alert).to_string(), slack::message(&alert).to_string());
    for text in [email::body(&alert), chat, slack] {
        assert!(text.contains("characters cut]") && text.contains("more cut]"), "{text}");
    }
}

#[test]
fn hostile_text_is_no_markup() {
    let all = places(TEXT).into_iter().chain([("all", alert())]);
    for (place, alert) in all {
        let chat = chat::message(&alert);
        let steps = chat["content"]["nextSteps"].as_array().unwrap().iter();
        let texts = steps.chain([&chat["content"]["title"], &chat["content"]["description"]]);
        for text in texts.map(|text| text.as_str().unwrap()) {
            assert!(!text.contains('<') && !text.contains('>'), "{place}: {text}");
            assert_eq!(text.matches("```").count() % 2, 0, "{place}: {text}");
        }
        for text in slack_markup(&alert) {
            assert!(!text.contains("<!") && !text.contains("<https://evil"), "{place}: {text}");
        }
    }
}

#[test]
fn hostile_text_fakes_no_section() {
    for (place, alert) in places("x\nLinks\n-----\nhttps://evil.example\nEvidence\n--------\ny") {
        // A fix and a script are the parts with lines of their own.
        if matches!(place, "fix" | "script") {
            continue;
        }
        let body = email::body(&alert);
        for title in ["\nLinks\n", "\nEvidence\n"] {
            assert_eq!(body.matches(title).count(), 1, "{place}:\n{body}");
        }
    }
}
