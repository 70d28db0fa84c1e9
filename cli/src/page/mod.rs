//! A report as one HTML page that needs nothing else: `--format html`.
//!
//! # Layout
//! - this file: the page, with `style.css` and `script.js`
//! - [`body`]: its part about one pipeline: pictures, panels, findings
//! - [`access_path`]: the roles, buckets and keys, and what the rules say of them; [`drawing`]: them as a picture;
//!   [`policies`]: what is behind them
//!
//! What comes from a file or from AWS is text to the browser: `maud` escapes every value, addresses other than
//! `https://` are no links, and the page's content security policy allows no style and no script but the page's own.

mod access_path;
mod body;
mod drawing;
mod policies;

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use crosspipe_core::alerts::{Alert, Link};
use crosspipe_core::diagnosis::Report;
use crosspipe_core::rules::{Facts, Finding, Severity, Unknown};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use access_path::AccessPath;
use body::Body;

use crate::causes::{Entry, group_by_cause};
use crate::output::count_of;
use crate::text::printable;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The part of the page about one file.
pub(crate) struct Section {
    errors: usize,
    warnings: usize,
    unknown: usize,
    body: Markup,
}

/// The part of the page about one pipeline; `number` is that of its file.
pub(crate) fn pipeline_section(
    (number, source): (usize, &str),
    facts: &Facts<'_>,
    entries: &[Entry<'_>],
    unknown: &[Unknown],
) -> Section {
    let prefix = format!("p{number}");
    let findings: Vec<&Finding> = entries.iter().map(|entry| entry.finding).collect();
    let path = AccessPath::new(&prefix, facts, &findings, unknown);
    let causes = group_by_cause(entries);
    let cause_of: HashMap<usize, usize> =
        causes.iter().enumerate().flat_map(|(at, cause)| cause.iter().map(move |it| (*it, at))).collect();
    let parts =
        Body { prefix: &prefix, path: &path, entries, cause_of: &cause_of, snapshot: facts.snapshot() };
    let of_severity = |wanted: Severity| {
        let firsts = causes.iter().filter_map(|cause| entries.get(*cause.first()?));
        firsts.filter(|entry| entry.finding.severity == wanted).count()
    };
    let unknown = Unknown::by_missing_part(unknown);
    let body = html! {
        section class="file" aria-label=(format!("Pipeline {}", facts.pipeline().name())) {
            h2 { "Pipeline " (facts.pipeline().name()) " " span class="quiet" { "from " (source) } }
            (parts.pictures())
            (parts.panels())
            @if !causes.is_empty() {
                h2 { "Findings" }
                @for (at, cause) in causes.iter().enumerate() { (parts.cause(at, cause)) }
            }
            @if !unknown.is_empty() {
                h2 { "Not judged" }
                div class="card" {
                    p { "These parts are not known, so the rules beside them could not decide." }
                    dl { @for (part, rules) in &unknown { dt { (part) } dd { (rules.join(", ")) } } }
                }
            }
        }
    };
    Section {
        errors: of_severity(Severity::Error),
        warnings: of_severity(Severity::Warning),
        unknown: unknown.len(),
        body,
    }
}

/// The page of `lint`.
pub(crate) fn of_lint(sections: Vec<Section>) -> String {
    let total = |of: fn(&Section) -> usize| sections.iter().map(of).sum::<usize>();
    let (errors, warnings, unknown) =
        (total(|it| it.errors), total(|it| it.warnings), total(|it| it.unknown));
    let title = match (errors, warnings) {
        (0, 0) if unknown > 0 => "No fault was found in what is known".to_owned(),
        (0, 0) => "No fault was found".to_owned(),
        (0, _) => format!("{}, no error", count_of(warnings, "warning")),
        (_, 0) => count_of(errors, "error"),
        _ => format!("{}, {}", count_of(errors, "error"), count_of(warnings, "warning")),
    };
    let head = html! {
        p class="eyebrow" { "crosspipe lint" }
        h1 { (title) }
        (count_list(errors, warnings, unknown))
    };
    page_html(&format!("Crosspipe: {title}"), &head, &sections)
}

/// The page of `diagnose`.
pub(crate) fn of_report(report: &Report, section: Section) -> String {
    let alert = Alert::from(report);
    let title = format!("{}/{} failed", report.stage, report.action);
    let head = html! {
        p class="eyebrow" { "crosspipe diagnose" }
        h1 { (title) }
        p class="headline" { (report.headline) }
        (count_list(section.errors, section.warnings, section.unknown))
        @if !alert.links.is_empty() {
            ul class="links" aria-label="Where to look" { @for link in &alert.links { li { (link_to(link)) } } }
        }
    };
    let evidence = html! {
        h2 { "Evidence" }
        div class="card" {
            dl { @for evidence in &alert.evidence { dt { (evidence.name) } dd { (evidence.text) } } }
        }
    };
    let section = Section { body: html! { (section.body) (evidence) }, ..section };
    page_html(&format!("Crosspipe: {} {title}", report.pipeline), &head, &[section])
}

fn page_html(title: &str, head: &Markup, sections: &[Section]) -> String {
    let hash = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text.as_bytes())));
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    header { (head) }
                    @for section in sections { (section.body) }
                    footer {
                        "Made by crosspipe " (env!("CARGO_PKG_VERSION"))
                        ". \u{201c}No fault found\u{201d} means that no rule proves a fault in what is known; it is no promise."
                    }
                }
                div id="said" class="visually-hidden" role="status" {}
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    printable(&page.into_string())
}

fn count_list(errors: usize, warnings: usize, unknown: usize) -> Markup {
    html! {
        ul class="counts" aria-label="Counts" {
            @if errors > 0 { li class="broken" { (count_of(errors, "error")) } }
            @if warnings > 0 { li class="warned" { (count_of(warnings, "warning")) } }
            @if unknown > 0 { li class="unknown" { (count_of(unknown, "part")) " not known" } }
            @if errors + warnings == 0 { li class="fine" { "no fault found" } }
        }
    }
}

fn link_to(link: &Link) -> Markup {
    html! {
        @if link.url.starts_with("https://") { a href=(link.url) rel="noreferrer" { (link.name) } }
        @else { (link.name) ": " (link.url) }
    }
}
