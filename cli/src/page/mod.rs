//! A report as one HTML page that needs nothing else: `--format html`.
//!
//! # Layout
//! - [`access_path`]: the roles, buckets and keys, and what the rules say of them
//! - [`drawing`]: them as a picture
//! - this file: the page around it; `style.css` and `script.js` are part of it
//!
//! What comes from a file or from AWS is text to the browser: `maud` escapes every value, addresses other than
//! `https://` are no links, and the page's content security policy allows no style and no script but the page's own.

mod access_path;
mod drawing;

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use crosspipe_core::alerts::{Alert, Link};
use crosspipe_core::diagnosis::Report;
use crosspipe_core::policy::PolicyDocument;
use crosspipe_core::rules::{Facts, Finding, Severity, Unknown};
use crosspipe_core::snapshot::{Fact, Snapshot};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;
use sha2::{Digest, Sha256};

use access_path::{AccessPath, Edge, Picture, State, policies};
use drawing::{Shape, class_of, draw, kind, name_of, words};

use crate::causes::{Entry, group_by_cause};
use crate::output::{count, severity};
use crate::text::printable;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Characters of policies that an arrow shows; more are with its boxes only.
const POLICIES_OF_EDGE: usize = 8_000;

/// The part of the page about one file.
pub(crate) struct Section {
    errors: usize,
    warnings: usize,
    unknown: usize,
    body: Markup,
}

/// The part of the page about one pipeline; `number` is that of its file.
pub(crate) fn section(
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
    let context =
        Context { prefix: &prefix, path: &path, entries, cause_of: &cause_of, snapshot: facts.snapshot() };
    let of_severity = |wanted: Severity| {
        let firsts = causes.iter().filter_map(|cause| entries.get(*cause.first()?));
        firsts.filter(|entry| entry.finding.severity == wanted).count()
    };
    let unknown = Unknown::by_missing_part(unknown);
    let body = html! {
        section class="file" aria-label=(format!("Pipeline {}", facts.pipeline().name())) {
            h2 { "Pipeline " (facts.pipeline().name()) " " span class="quiet" { "from " (source) } }
            (context.pictures())
            (context.panels())
            @if !causes.is_empty() {
                h2 { "Findings" }
                @for (at, cause) in causes.iter().enumerate() { (context.cause(at, cause)) }
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
        (0, _) => format!("{}, no error", count(warnings, "warning")),
        (_, 0) => count(errors, "error"),
        _ => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    };
    let head = html! {
        p class="eyebrow" { "crosspipe lint" }
        h1 { (title) }
        (counts(errors, warnings, unknown))
    };
    page(&format!("Crosspipe: {title}"), &head, &sections)
}

/// The page of `diagnose`.
pub(crate) fn of_report(report: &Report, section: Section) -> String {
    let alert = Alert::from(report);
    let title = format!("{}/{} failed", report.stage, report.action);
    let head = html! {
        p class="eyebrow" { "crosspipe diagnose" }
        h1 { (title) }
        p class="headline" { (report.headline) }
        (counts(section.errors, section.warnings, section.unknown))
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
    page(&format!("Crosspipe: {} {title}", report.pipeline), &head, &[section])
}

fn page(title: &str, head: &Markup, sections: &[Section]) -> String {
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

fn counts(errors: usize, warnings: usize, unknown: usize) -> Markup {
    html! {
        ul class="counts" aria-label="Counts" {
            @if errors > 0 { li class="broken" { (count(errors, "error")) } }
            @if warnings > 0 { li class="warned" { (count(warnings, "warning")) } }
            @if unknown > 0 { li class="unknown" { (count(unknown, "part")) " not known" } }
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

struct Context<'a> {
    prefix: &'a str,
    path: &'a AccessPath,
    entries: &'a [Entry<'a>],
    cause_of: &'a HashMap<usize, usize>,
    snapshot: &'a Snapshot,
}

impl Context<'_> {
    /// The pictures with a fault first; those without are folded where there are several.
    fn pictures(&self) -> Markup {
        let mut pictures: Vec<(State, &Picture)> =
            self.path.pictures.iter().map(|picture| (self.path.state_of(picture), picture)).collect();
        pictures.sort_by_key(|(state, _)| std::cmp::Reverse(*state));
        let several = pictures.len() > 1;
        html! {
            @for (at, (state, picture)) in pictures.iter().enumerate() {
                @if several && *state < State::Warned && at > 0 {
                    details class="card" {
                        summary { "Target account " (picture.account) ": " (words(*state)) }
                        (self.picture(picture))
                    }
                } @else {
                    div class="card" { (self.picture(picture)) }
                }
            }
        }
    }

    fn picture(&self, picture: &Picture) -> Markup {
        html! {
            figure class="path" {
                figcaption {
                    "An arrow says who has to reach what. Select a box or an arrow for the statements behind it."
                }
                (draw(self.path, picture, Shape::Wide))
                (draw(self.path, picture, Shape::Tall))
            }
        }
    }

    /// What is shown of each box and arrow when it is selected; before that, the first arrow that is broken.
    fn panels(&self) -> Markup {
        let first = self.path.edges.iter().position(|edge| edge.state == State::Broken);
        html! {
            @for (number, edge) in self.path.edges.iter().enumerate() { (self.edge(number, edge, first == Some(number))) }
            @for number in 0..self.path.nodes.len() { (self.node(number)) }
        }
    }

    fn node(&self, number: usize) -> Markup {
        let Some(node) = self.path.nodes.get(number) else { return html! {} };
        let title = format!("{} {}", kind(node.kind), name_of(node));
        html! {
            section class=(format!("card panel {}", class_of(node.state))) id=(node_anchor(self.path, number))
                tabindex="-1" aria-label=(title) {
                span class="badge" { (words(node.state)) }
                h3 { (title) }
                p class="quiet" {
                    (node.id)
                    @if !node.account.is_empty() { " in account " (node.account) }
                }
                (self.findings_of(&node.findings))
                @for (at, (name, policy)) in policies(node, self.snapshot).iter().enumerate() {
                    (policy_block(&format!("{}-{at}", node_anchor(self.path, number)), name, policy))
                }
            }
        }
    }

    fn edge(&self, number: usize, edge: &Edge, is_first: bool) -> Markup {
        let ends = (self.path.nodes.get(edge.from), self.path.nodes.get(edge.to));
        let (Some(from), Some(to)) = ends else { return html! {} };
        let title = format!("{} to {} {}", name_of(from), kind(to.kind).to_lowercase(), name_of(to));
        let anchor = edge_anchor(self.path, number);
        let class = format!("card panel {}{}", class_of(edge.state), if is_first { " first" } else { "" });
        let statements = edge.findings.iter().filter_map(|finding| self.entries.get(*finding));
        let statements: Vec<&Value> = statements.flat_map(|entry| &entry.finding.statements).collect();
        let of_both: Vec<(String, Fact<PolicyDocument>)> = [from, to]
            .into_iter()
            .flat_map(|node| {
                let named = policies(node, self.snapshot).into_iter();
                named.map(|(name, policy)| (format!("{name} of {}", name_of(node)), policy))
            })
            .collect();
        let length: usize = of_both
            .iter()
            .filter_map(|(_, policy)| policy.known())
            .map(|policy| policy.to_json().len())
            .sum();
        html! {
            section class=(class) id=(anchor) tabindex="-1" aria-label=(title) {
                span class="badge" { (words(edge.state)) }
                h3 { (title) }
                @if !edge.denied.is_empty() {
                    p { "Denied: " (edge.denied.iter().map(String::as_str).collect::<Vec<_>>().join(", ")) }
                }
                (self.findings_of(&edge.findings))
                @if !statements.is_empty() {
                    h4 { "What is missing" }
                    (code(&format!("{anchor}-missing"), &pretty(&statements)))
                }
                @if length > POLICIES_OF_EDGE {
                    p {
                        "The policies are with the boxes: "
                        a href=(format!("#{}", node_anchor(self.path, edge.from))) { (name_of(from)) } ", "
                        a href=(format!("#{}", node_anchor(self.path, edge.to))) { (name_of(to)) } "."
                    }
                } @else {
                    details {
                        summary { "The policies of both sides" }
                        @for (at, (name, policy)) in of_both.iter().enumerate() {
                            (policy_block(&format!("{anchor}-{at}"), name, policy))
                        }
                    }
                }
            }
        }
    }

    /// Links to findings, each cause once.
    fn findings_of(&self, findings: &[usize]) -> Markup {
        let mut causes: Vec<(usize, &Entry<'_>)> = vec![];
        for finding in findings {
            let (Some(cause), Some(entry)) = (self.cause_of.get(finding), self.entries.get(*finding)) else {
                continue;
            };
            if causes.last().map(|(last, _)| last) != Some(cause) {
                causes.push((*cause, entry));
            }
        }
        html! {
            @if !causes.is_empty() {
                ul {
                    @for (cause, entry) in causes {
                        li {
                            a href=(format!("#{}-c{cause}", self.prefix)) { (entry.finding.rule) }
                            ": " (entry.finding.message)
                        }
                    }
                }
            }
        }
    }

    fn cause(&self, at: usize, cause: &[usize]) -> Markup {
        let entries: Vec<&Entry<'_>> = cause.iter().filter_map(|it| self.entries.get(*it)).collect();
        let Some((first, others)) = entries.split_first() else { return html! {} };
        let finding = first.finding;
        let state = if finding.severity == Severity::Error { State::Broken } else { State::Warned };
        let anchor = format!("{}-c{at}", self.prefix);
        html! {
            article class=(format!("card finding {}", class_of(state))) id=(anchor) tabindex="-1" {
                header class=(class_of(state)) {
                    span class="badge" { (severity(finding.severity)) }
                    @if let Some(confidence) = first.confidence { span class="badge" { (confidence.name()) } }
                    span class="quiet" { (finding.rule) " " (finding.name) }
                    h3 { (finding.message) }
                }
                @if !others.is_empty() {
                    ul { @for other in others { li { "also " (other.finding.message) } } }
                }
                p { "Because " (finding.because) }
                p class="quiet" { "At " (finding.location) }
                h4 { "Fix" }
                p { (finding.summary) }
                @if !finding.statements.is_empty() {
                    (code(&format!("{anchor}-s"), &pretty(&finding.statements.iter().collect::<Vec<_>>())))
                }
                @if let Some(script) = &finding.command {
                    details {
                        summary { "Script for AWS CloudShell" }
                        (code(&format!("{anchor}-x"), script))
                    }
                }
                @if let Some(resource) = &finding.crosspipe {
                    details {
                        summary { "Let Crosspipe do it and keep it so" }
                        (code(&format!("{anchor}-r"), resource))
                    }
                }
                p { a href=(finding.docs) rel="noreferrer" { "What AWS says about it" } }
            }
        }
    }
}

fn policy_block(anchor: &str, name: &str, policy: &Fact<PolicyDocument>) -> Markup {
    html! {
        h4 { (name) }
        @match policy {
            Fact::Known(policy) => { (code(anchor, &format!("{:#}", policy.to_value()))) }
            Fact::Absent => { p { "There is none." } }
            Fact::Unknown => { p { "It is not known." } }
        }
    }
}

fn code(anchor: &str, text: &str) -> Markup {
    html! {
        div class="code" {
            pre id=(anchor) tabindex="0" { (text) }
            button type="button" data-copy=(anchor) hidden { "Copy" }
        }
    }
}

fn pretty(statements: &[&Value]) -> String {
    statements.iter().map(|statement| format!("{statement:#}")).collect::<Vec<_>>().join(",\n")
}

fn node_anchor(path: &AccessPath, number: usize) -> String {
    format!("{}-n{number}", path.prefix)
}

fn edge_anchor(path: &AccessPath, number: usize) -> String {
    format!("{}-e{number}", path.prefix)
}
