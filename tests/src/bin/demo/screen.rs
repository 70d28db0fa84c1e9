//! What is printed: plain text, and colours on a terminal.

use std::io::IsTerminal;
use std::time::Instant;

const MARGIN: &str = "       ";

/// Foreground colours, as ANSI numbers.
#[derive(Clone, Copy)]
pub(crate) enum Colour {
    Red = 31,
    Green = 32,
    Cyan = 36,
    Grey = 90,
}

/// Prints, counts steps and remembers the checks.
pub(crate) struct Screen {
    coloured: bool,
    steps: Vec<Step>,
}

struct Step {
    title: String,
    start: Instant,
    checks: Vec<(bool, String)>,
}

impl Screen {
    pub(crate) fn new() -> Self {
        let coloured = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { coloured, steps: Vec::new() }
    }

    /// A paragraph of its own, at the margin.
    pub(crate) fn paragraph(&self, text: &str) {
        println!("{text}");
    }

    /// Starts the next step.
    pub(crate) fn step(&mut self, title: &str) {
        self.steps.push(Step { title: title.to_owned(), start: Instant::now(), checks: Vec::new() });
        println!("\n{}", self.paint(Colour::Cyan, &format!("[{:>2}]  {title}", self.steps.len())));
    }

    /// What happens within a step.
    pub(crate) fn say(&self, text: &str) {
        for line in text.lines() {
            println!("{}", format!("{MARGIN}{line}").trim_end());
        }
    }

    /// The same, in a colour.
    pub(crate) fn say_in(&self, colour: Colour, text: &str) {
        for line in text.lines() {
            self.say(&self.paint(colour, line));
        }
    }

    /// Something that somebody else wrote, as it came.
    pub(crate) fn quote(&self, text: &str) {
        let bar = self.paint(Colour::Grey, "|");
        for line in text.lines() {
            println!("{}", format!("{MARGIN}{bar} {line}").trim_end());
        }
    }

    /// A check: printed now and in the summary.
    pub(crate) fn check(&mut self, holds: bool, what: &str) {
        self.say(&format!("{} {what}", self.mark(holds)));
        if let Some(step) = self.steps.last_mut() {
            step.checks.push((holds, what.to_owned()));
        }
    }

    /// One screen: each step with its checks. Answers whether all of them hold.
    pub(crate) fn summary(&self) -> bool {
        println!("\n{}", self.paint(Colour::Cyan, "Summary"));
        let ends = self.steps.iter().skip(1).map(|step| step.start).chain([Instant::now()]);
        for (step, end) in self.steps.iter().zip(ends) {
            let holds = step.checks.iter().all(|(holds, _)| *holds);
            let seconds = end.duration_since(step.start).as_secs_f32();
            let checks = match step.checks.len() {
                0 => String::new(),
                1 => "1 check".to_owned(),
                count => format!("{count} checks"),
            };
            println!("  {} {:<62} {checks:>9} {seconds:>7.1} s", self.mark(holds), step.title);
            for (_, what) in step.checks.iter().filter(|(holds, _)| !holds) {
                println!("      {}", self.paint(Colour::Red, what));
            }
        }
        let checks: Vec<bool> =
            self.steps.iter().flat_map(|step| step.checks.iter().map(|(holds, _)| *holds)).collect();
        let failed = checks.iter().filter(|holds| !**holds).count();
        let verdict = match failed {
            0 => self.paint(Colour::Green, &format!("all {} checks hold", checks.len())),
            _ => self.paint(Colour::Red, &format!("{failed} of {} checks failed", checks.len())),
        };
        println!("\n  {verdict}");
        failed == 0
    }

    /// The text in a colour, if there are colours.
    pub(crate) fn paint(&self, colour: Colour, text: &str) -> String {
        if self.coloured { format!("\x1b[{}m{text}\x1b[0m", colour as u8) } else { text.to_owned() }
    }

    fn mark(&self, holds: bool) -> String {
        if holds { self.paint(Colour::Green, "✓") } else { self.paint(Colour::Red, "✗") }
    }
}
