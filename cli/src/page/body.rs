//! The body of a page's part about one pipeline.

use std::collections::HashMap;

use crosspipe_core::policy::PolicyDocument;
use crosspipe_core::rules::Severity;
use crosspipe_core::snapshot::{Fact, Snapshot};
use maud::{Markup, html};
use serde_json::Value;

use super::access_path::{AccessPath, Edge, Picture, State};
use super::drawing::{Shape, draw_picture};
use super::policies::{policies_of, policy_block};
use crate::causes::Entry;
use crate::output::severity_name;

/// Characters of policies that an arrow shows; more are with its boxes only.
const POLICIES_OF_EDGE: usize = 8_000;

/// The body of one pipeline's part: its pictures, a panel per box and arrow, and its findings.
pub(super) struct Body<'a> {
    pub(super) prefix: &'a str,
    pub(super) path: &'a AccessPath,
    pub(super) entries: &'a [Entry<'a>],
    pub(super) cause_of: &'a HashMap<usize, usize>,
    pub(super) snapshot: &'a Snapshot,
}

impl Body<'_> {
    /// The pictures with a fault first; those without are folded where there are several.
    pub(super) fn pictures(&self) -> Markup {
        let mut pictures: Vec<(State, &Picture)> =
            self.path.pictures.iter().map(|picture| (self.path.state_of(picture), picture)).collect();
        pictures.sort_by_key(|(state, _)| std::cmp::Reverse(*state));
        let several = pictures.len() > 1;
        html! {
            @for (at, (state, picture)) in pictures.iter().enumerate() {
                @if several && *state < State::Warned && at > 0 {
                    details class="card" {
                        summary { "Target account " (picture.account) ": " (state.label()) }
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
                (draw_picture(self.path, picture, Shape::Wide))
                (draw_picture(self.path, picture, Shape::Tall))
            }
        }
    }

    /// What is shown of each box and arrow when it is selected; before that, the first arrow that is broken.
    pub(super) fn panels(&self) -> Markup {
        let first = self.path.edges.iter().position(|edge| edge.state == State::Broken);
        html! {
            @for (number, edge) in self.path.edges.iter().enumerate() { (self.edge(number, edge, first == Some(number))) }
            @for number in 0..self.path.nodes.len() { (self.node(number)) }
        }
    }

    fn node(&self, number: usize) -> Markup {
        let Some(node) = self.path.nodes.get(number) else { return html! {} };
        let title = format!("{} {}", node.kind.label(), node.name());
        html! {
            section class=(format!("card panel {}", node.state.css_class())) id=(self.path.node_anchor(number))
                tabindex="-1" aria-label=(title) {
                span class="badge" { (node.state.label()) }
                h3 { (title) }
                p class="quiet" {
                    (node.id)
                    @if !node.account.is_empty() { " in account " (node.account) }
                }
                (self.findings_of(&node.findings))
                @for (at, (name, policy)) in policies_of(node, self.snapshot).iter().enumerate() {
                    (policy_block(&format!("{}-{at}", self.path.node_anchor(number)), name, policy))
                }
            }
        }
    }

    fn edge(&self, number: usize, edge: &Edge, is_first: bool) -> Markup {
        let ends = (self.path.nodes.get(edge.from), self.path.nodes.get(edge.to));
        let (Some(from), Some(to)) = ends else { return html! {} };
        let title = format!("{} to {} {}", from.name(), to.kind.label().to_lowercase(), to.name());
        let anchor = self.path.edge_anchor(number);
        let class = format!("card panel {}{}", edge.state.css_class(), if is_first { " first" } else { "" });
        let statements = edge.findings.iter().filter_map(|finding| self.entries.get(*finding));
        let statements: Vec<&Value> = statements.flat_map(|entry| &entry.finding.statements).collect();
        let of_both: Vec<(String, Fact<PolicyDocument>)> = [from, to]
            .into_iter()
            .flat_map(|node| {
                let named = policies_of(node, self.snapshot).into_iter();
                named.map(|(name, policy)| (format!("{name} of {}", node.name()), policy))
            })
            .collect();
        let length: usize = of_both
            .iter()
            .filter_map(|(_, policy)| policy.known())
            .map(|policy| policy.to_json().len())
            .sum();
        html! {
            section class=(class) id=(anchor) tabindex="-1" aria-label=(title) {
                span class="badge" { (edge.state.label()) }
                h3 { (title) }
                @if !edge.denied.is_empty() {
                    p { "Denied: " (edge.denied.iter().map(String::as_str).collect::<Vec<_>>().join(", ")) }
                }
                (self.findings_of(&edge.findings))
                @if !statements.is_empty() {
                    h4 { "What is missing" }
                    (code_block(&format!("{anchor}-missing"), &pretty_statements(&statements)))
                }
                @if length > POLICIES_OF_EDGE {
                    p {
                        "The policies are with the boxes: "
                        a href=(format!("#{}", self.path.node_anchor(edge.from))) { (from.name()) } ", "
                        a href=(format!("#{}", self.path.node_anchor(edge.to))) { (to.name()) } "."
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

    /// One cause: its first finding, and what else the same fix resolves.
    pub(super) fn cause(&self, at: usize, cause: &[usize]) -> Markup {
        let entries: Vec<&Entry<'_>> = cause.iter().filter_map(|it| self.entries.get(*it)).collect();
        let Some((first, others)) = entries.split_first() else { return html! {} };
        let finding = first.finding;
        let state = if finding.severity == Severity::Error { State::Broken } else { State::Warned };
        let anchor = format!("{}-c{at}", self.prefix);
        html! {
            article class=(format!("card finding {}", state.css_class())) id=(anchor) tabindex="-1" {
                header class=(state.css_class()) {
                    span class="badge" { (severity_name(finding.severity)) }
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
                    (code_block(&format!("{anchor}-s"), &pretty_statements(&finding.statements.iter().collect::<Vec<_>>())))
                }
                @if let Some(script) = &finding.command {
                    details {
                        summary { "Script for AWS CloudShell" }
                        (code_block(&format!("{anchor}-x"), script))
                    }
                }
                @if let Some(resource) = &finding.crosspipe {
                    details {
                        summary { "Let Crosspipe do it and keep it so" }
                        (code_block(&format!("{anchor}-r"), resource))
                    }
                }
                p { a href=(finding.docs) rel="noreferrer" { "What AWS says about it" } }
            }
        }
    }
}

/// A text to copy.
pub(super) fn code_block(anchor: &str, text: &str) -> Markup {
    html! {
        div class="code" {
            pre id=(anchor) tabindex="0" { (text) }
            button type="button" data-copy=(anchor) hidden { "Copy" }
        }
    }
}

fn pretty_statements(statements: &[&Value]) -> String {
    statements.iter().map(|statement| format!("{statement:#}")).collect::<Vec<_>>().join(",\n")
}
