use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use crosspipe_testing::walkthrough::{BUCKET, KEY, TARGET_ROLE, corrected};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::diagnose::{event, with_details};
use crate::{Ran, command, json_file, run, without_bucket_grant, without_key_grant};

/// A page on disk, gone at the end of its test with the browser's profile.
struct Page(PathBuf);

impl Page {
    fn of(ran: &Ran, name: &str) -> Self {
        let name = format!("{name}-{}.html", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, &ran.out).unwrap();
        Page(path)
    }

    /// The page of `lint` for this snapshot.
    fn of_snapshot(snapshot: &Value, name: &str) -> Self {
        let snapshot = json_file(snapshot);
        Page::of(&run(&["lint", "--format", "html", snapshot.path()]), name)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
        let _ = std::fs::remove_dir_all(self.0.with_extension("profile"));
    }
}

/// A snapshot with faults of every kind of edge: key and bucket policy, trust, and a role that the action passes.
fn faulty() -> Value {
    let mut snapshot = without_key_grant();
    snapshot["buckets"][BUCKET]["policy"]["Statement"].as_array_mut().unwrap().truncate(2);
    snapshot["roles"][TARGET_ROLE]["trustPolicy"]["Statement"][0]["Principal"] =
        json!({"AWS": "arn:aws:iam::111111111111:role/Other"});
    snapshot["roles"][TARGET_ROLE].as_object_mut().unwrap().remove("permissionsBoundary");
    snapshot
}

const HOSTILE: &str =
    "\"'><script>hacked=1</script><img src=x onerror=hacked=2><svg onload=hacked=3>\u{202e}</title>";

/// Texts of a file in every place where a page shows one.
fn hostile() -> Value {
    let mut snapshot = without_key_grant();
    let pipeline = &mut snapshot["pipeline"]["pipeline"];
    pipeline["name"] = json!(HOSTILE);
    pipeline["stages"][1]["name"] = json!(HOSTILE);
    pipeline["stages"][1]["actions"][0]["name"] = json!(HOSTILE);
    let text = snapshot.to_string();
    let name = json!(HOSTILE).to_string();
    let text =
        text.replace(BUCKET, name.trim_matches('"')).replace("CrossAccount_Role", name.trim_matches('"'));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn page_needs_nothing_from_outside() {
    let snapshot = json_file(&without_key_grant());
    let ran = run(&["lint", "--format", "html", snapshot.path()]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.out.starts_with("<!DOCTYPE html>"), "{}", ran.out);
    for attribute in ["src=", "<link", "@import", "url(", "<iframe", "<base"] {
        assert!(!ran.out.contains(attribute), "`{attribute}` is in the page");
    }
    assert!(ran.out.contains("default-src &#39;none&#39;") || ran.out.contains("default-src 'none'"));
    assert!(ran.out.contains(KEY) && ran.out.contains("KM001") && ran.out.contains("aws kms put-key-policy"));
}

#[test]
fn several_files_share_one_page() {
    let (key, bucket, fine) =
        (json_file(&without_key_grant()), json_file(&without_bucket_grant()), json_file(&corrected()));
    let ran = run(&["lint", "--format", "html", key.path(), bucket.path(), fine.path()]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    let mut anchors: Vec<&str> =
        ran.out.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let all = anchors.len();
    anchors.sort_unstable();
    anchors.dedup();
    assert_eq!(anchors.len(), all, "an anchor is there twice");
    assert!(ran.out.contains("2 errors"), "{}", ran.out);
}

#[test]
fn diagnosis_page_names_the_cause() {
    let (event, snapshot) = (json_file(&event()), json_file(&with_details(without_key_grant())));
    let arguments = ["diagnose", "--format", "html", "--event", event.path(), "--snapshot", snapshot.path()];
    let ran = run(&arguments);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    for part in ["Staging/ExternalDeploy failed", "confirmed", "KM001", "console.aws.amazon.com", "Evidence"]
    {
        assert!(ran.out.contains(part), "`{part}` is not in the page");
    }
}

#[test]
fn hostile_text_stays_text() {
    let page = Page::of_snapshot(&hostile(), "hostile");
    let Some(mut browser) = Browser::open(&page.0) else { return };
    assert_eq!(browser.evaluate("typeof hacked"), "undefined");
    assert_eq!(browser.evaluate("document.scripts.length"), 1);
    let foreign = "document.querySelectorAll('img, iframe, object, [onload], [onerror], [href^=\"javascript\"]').length";
    assert_eq!(browser.evaluate(foreign), 0);
    let heading = browser.evaluate("document.querySelector('h2').textContent");
    let heading = heading.as_str().unwrap();
    assert!(
        heading.starts_with(&format!("Pipeline {} ", HOSTILE.replace('\u{202e}', "\\u{202e}"))),
        "{heading}"
    );
    // Even markup that got in would run nothing and fetch nothing.
    let injected = "new Promise(done => { \
        document.body.insertAdjacentHTML('beforeend', '<img src=\"https://127.0.0.1:9/x\" onerror=\"hacked=1\">'); \
        const script = document.createElement('script'); script.textContent = 'hacked=2'; \
        document.body.append(script); setTimeout(() => done(typeof hacked), 300); })";
    assert_eq!(browser.evaluate(injected), "undefined");
}

#[test]
fn keyboard_reaches_statements_and_fixes() {
    let page = Page::of_snapshot(&faulty(), "keyboard");
    let Some(mut browser) = Browser::open(&page.0) else { return };
    browser.resize(1200, 900);
    let is_broken = "document.activeElement.matches('svg.wide a.edge.broken')";
    let tabs = (0..60).take_while(|_| {
        browser.press("Tab", 9);
        browser.evaluate(is_broken) != json!(true)
    });
    assert!(tabs.count() < 60, "no arrow is reached by Tab");
    let target = browser.evaluate("document.activeElement.getAttribute('href')");
    browser.press("Enter", 13);
    let shown = "new Promise(done => setTimeout(() => { const panel = document.querySelector(location.hash); \
                 done([location.hash, getComputedStyle(panel).display, document.activeElement === panel]); }, 200))";
    assert_eq!(browser.evaluate(shown), json!([target, "block", true]));
    let tabs = (0..20).take_while(|_| {
        browser.press("Tab", 9);
        browser.evaluate("document.activeElement.matches('button')") != json!(true)
    });
    assert!(tabs.count() < 20, "no button is reached by Tab");
    browser.press("Enter", 13);
    let said =
        "new Promise(done => setTimeout(() => done(document.getElementById('said').textContent), 300))";
    assert!(browser.evaluate(said).as_str().unwrap().contains("opied"), "nothing was copied");
}

#[test]
fn screen_reader_gets_names() {
    let page = Page::of_snapshot(&faulty(), "reader");
    let Some(mut browser) = Browser::open(&page.0) else { return };
    browser.resize(1200, 900);
    let tree = browser.call("Accessibility.getFullAXTree", json!({}));
    let nodes: Vec<(String, String)> = tree["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|node| node["ignored"] == false)
        .map(|node| {
            let text = |member: &str| node[member]["value"].as_str().unwrap_or_default().to_owned();
            (text("role"), text("name"))
        })
        .collect();
    for (role, name) in &nodes {
        let is_named = !["link", "button", "heading", "region"].contains(&role.as_str()) || !name.is_empty();
        assert!(is_named, "a {role} has no name");
    }
    let has = |role: &str, parts: &[&str]| {
        nodes.iter().any(|(it, name)| it == role && parts.iter().all(|part| name.contains(part)))
    };
    assert!(has("link", &["CrossAccount_Role to ", "kms:", "broken"]), "{nodes:?}");
    assert!(has("link", &["Service role CodePipeline_Service_Role"]), "{nodes:?}");
    assert!(has("heading", &["error"]) && has("main", &[]), "{nodes:?}");
    assert_eq!(browser.evaluate("document.documentElement.lang"), "en");
}

/// In every picture that is seen: no label or box covers another, and every text is within its own.
const OVERLAPS: &str = "(() => {
  const problems = [];
  for (const svg of document.querySelectorAll('svg')) {
    if (!svg.checkVisibility()) continue;
    const all = [...svg.querySelectorAll('a > rect')].map(it => [it.parentNode, it.getBoundingClientRect()]);
    all.forEach(([link, a], at) => {
      const name = link.getAttribute('aria-label');
      for (const [other, b] of all.slice(at + 1)) {
        if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
          problems.push(`${name} covers ${other.getAttribute('aria-label')}`);
      }
      for (const text of link.querySelectorAll('text')) {
        const t = text.getBoundingClientRect();
        if (t.right > a.right + 1 || t.left < a.left - 1) problems.push(`${text.textContent} is outside of ${name}`);
      }
      const whole = svg.getBoundingClientRect();
      if (a.right > whole.right || a.bottom > whole.bottom) problems.push(`${name} is outside of the picture`);
    });
  }
  return problems;
})()";

#[test]
fn drawing_is_clear_at_every_width() {
    let mut many = faulty();
    let actions = many["pipeline"]["pipeline"]["stages"][1]["actions"].as_array_mut().unwrap();
    let model = actions[0].clone();
    for number in 1..6 {
        let mut action = model.clone();
        action["name"] = json!(format!("Deploy{number}"));
        let role = format!("{TARGET_ROLE}-with-a-name-that-is-quite-long-for-a-box-{number}");
        action["roleArn"] = json!(role);
        actions.push(action);
    }
    for (name, snapshot) in [("clear", faulty()), ("clear-many", many), ("clear-fine", corrected())] {
        let page = Page::of_snapshot(&snapshot, name);
        let Some(mut browser) = Browser::open(&page.0) else { return };
        for (width, shape) in [(1200, "wide"), (800, "wide"), (360, "tall")] {
            browser.resize(width, 900);
            assert_eq!(browser.evaluate(OVERLAPS), json!([]), "{name} at {width}");
            let shown = format!("document.querySelector('svg.{shape}').checkVisibility()");
            assert_eq!(browser.evaluate(&shown), true, "{name} at {width}");
            let wide = browser.evaluate("document.documentElement.scrollWidth").as_u64().unwrap();
            assert!(wide <= u64::from(width), "{name}: {wide} of {width} pixels");
        }
        let button = "Math.min(...[...document.querySelectorAll('button')].filter(it => it.checkVisibility())\
                      .map(it => it.getBoundingClientRect().height), 99)";
        assert!(browser.evaluate(button).as_f64().unwrap() >= 40.0, "buttons are too small for a thumb");
    }
}

#[test]
fn print_shows_pictures_and_scripts() {
    let page = Page::of_snapshot(&faulty(), "print");
    let Some(mut browser) = Browser::open(&page.0) else { return };
    browser.resize(700, 900);
    browser.call("Emulation.setEmulatedMedia", json!({"media": "print"}));
    assert_eq!(browser.evaluate("document.querySelector('svg.wide').checkVisibility()"), true);
    assert_eq!(browser.evaluate("document.querySelector('svg.tall').checkVisibility()"), false);
    assert_eq!(browser.evaluate("document.querySelector('button').checkVisibility()"), false);
    let scripts = "[...document.querySelectorAll('article pre')].filter(it => it.getBoundingClientRect().height < 10).length";
    assert_eq!(browser.evaluate(scripts), 0, "a script is not printed");
    let pdf = browser.call("Page.printToPDF", json!({"printBackground": false}));
    assert!(pdf["data"].as_str().unwrap().len() > 10_000);
}

/// `CROSSPIPE_SCREENSHOT=1 cargo test -p crosspipe screenshot` takes the README's picture anew.
#[test]
fn screenshot_of_the_readme() {
    if std::env::var_os("CROSSPIPE_SCREENSHOT").is_none() {
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshot");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("event.json"), event().to_string()).unwrap();
    std::fs::write(folder.join("snapshot.json"), with_details(without_key_grant()).to_string()).unwrap();
    let arguments = ["diagnose", "--format", "html", "--event", "event.json", "--snapshot", "snapshot.json"];
    let page = Page::of(&command(&arguments).current_dir(&folder).output().unwrap().into(), "screenshot");
    let Some(mut browser) = Browser::open(&page.0) else { panic!("there is no Chromium to take it with") };
    browser.resize(1160, 860);
    let picture = BASE64_STANDARD.decode(browser.screenshot()).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/images");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("report.png"), picture).unwrap();
}
