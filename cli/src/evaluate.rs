//! `crosspipe evaluate`: would these requests be allowed, and which statement says so?
//!
//! A stream of lines, each answered before the next is read. What a line can say is the core's
//! [`Question`].

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Write, stdin, stdout};
use std::path::{Path, PathBuf};

use clap::Args;
use crosspipe_core::evaluation::Question;
use crosspipe_core::field_error::FieldError;
use serde_json::json;

use crate::input::{Document, InputError};
use crate::output::{Answer, count_of};
use crate::text::printable_json;

const EXPECTED: &str =
    "one JSON object a line, as `crosspipe evaluate --help` shows it (`jq -c .` makes one line of many)";

const LONG_HELP: &str = r#"Examples:
  crosspipe evaluate requests.jsonl
  jq -c '.[]' requests.json | crosspipe evaluate

A line (shown here as several):
  {"principal": "arn:aws:iam::222222222222:role/CrossAccount_Role",
   "action": "s3:GetObject", "resource": "arn:aws:s3:::artifacts/app.zip",
   "resourceAccount": "111111111111", "context": {"aws:SecureTransport": true},
   "identityPolicies": [{…}], "resourcePolicy": {…}, "permissionsBoundary": {…},
   "serviceControlPolicies": [[{…}], [{…}]]}
and, where they matter, "sessionPolicies", "resourceControlPolicies" and "keyGrants".

`principal` is the ARN of a role, a role session or a user, an account, a service or `*`. `principal`,
`action` and `resource` are needed; a policy that is not given does not exist, a condition key that is
not given is not in the request. Service control policies come level by level, the root's first.

Its answer, on one line:
  {"decision": "allowed" | "explicitlyDenied" | "implicitlyDenied" | "unknown", "because": {…}}

Blank lines are skipped. A line that can't be used is answered by {"error": …}, and the rest go on.
Exit codes: 0 every line was answered, 2 some could not be used"#;

/// Decides requests, one JSON object a line, by the policies that come with them
#[derive(Debug, Args)]
#[command(after_help = LONG_HELP)]
pub(crate) struct Arguments {
    /// Lines of JSON; `-` is standard input
    #[arg(default_value = "-", value_name = "FILE")]
    file: PathBuf,
}

/// Answers line by line; memory does not grow with their number.
pub(crate) fn run(arguments: &Arguments) -> Answer {
    let name = if is_stdin(&arguments.file) {
        "standard input".into()
    } else {
        arguments.file.display().to_string()
    };
    let source: io::Result<Box<dyn Read>> = match is_stdin(&arguments.file) {
        true => Ok(Box::new(stdin())),
        false => File::open(&arguments.file).map(|file| Box::new(file) as Box<dyn Read>),
    };
    let source = source.and_then(|source| {
        let mut questions = Questions { name: name.clone(), lines: BufReader::new(source), number: 0 };
        questions.answer_all(&mut BufWriter::new(stdout().lock()))
    });
    match source {
        Ok(answer) => answer,
        // A reader that has gone away, such as `head`, is no problem.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Answer::default(),
        Err(error) => Answer::unusable(format!("{name}: it can't be read: {error}\n  expected: {EXPECTED}")),
    }
}

fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}

struct Questions<R> {
    name: String,
    lines: BufReader<R>,
    number: usize,
}

impl<R: Read> Questions<R> {
    fn answer_all(&mut self, out: &mut impl Write) -> io::Result<Answer> {
        let (mut bad, mut asked) = (0, 0);
        let mut first: Option<InputError> = None;
        while let Some(line) = self.next_line()? {
            // As between the lines of any list of JSON.
            if line.trim_ascii().is_empty() {
                continue;
            }
            asked += 1;
            let answer = match self.answer(line) {
                Ok(answer) => answer,
                Err(problem) => {
                    bad += 1;
                    let answer =
                        json!({"error": problem.to_string().replace("\n  expected: ", "; expected: ")})
                            .to_string();
                    first.get_or_insert(problem);
                    answer
                }
            };
            writeln!(out, "{}", printable_json(&answer))?;
            // Whoever waits for an answer before the next question gets it.
            if self.lines.buffer().is_empty() {
                out.flush()?;
            }
        }
        out.flush()?;
        Ok(match first {
            Some(first) if bad == 1 => Answer::unusable(first),
            Some(first) => Answer::unusable(format!(
                "{} of {} can't be used; the first is {first}",
                bad,
                count_of(asked, "line")
            )),
            None if asked == 0 => {
                Answer::unusable(format!("{}:1:1: it is empty\n  expected: {EXPECTED}", self.name))
            }
            None => Answer::default(),
        })
    }

    fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = vec![];
        if self.lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        // Without its line break, so that places are on this line.
        while matches!(line.last(), Some(b'\n' | b'\r')) {
            line.pop();
        }
        Ok(Some(line))
    }

    fn answer(&self, line: Vec<u8>) -> Result<String, InputError> {
        let answer = || {
            let document = Document::parse(self.name.clone(), line, EXPECTED)?;
            let question = read_question(&document)?;
            let evaluation = question.evaluate();
            Ok(json!({"decision": evaluation.decision, "because": evaluation.because()}).to_string())
        };
        answer().map_err(|problem: InputError| problem.on_line(self.number))
    }
}

fn read_question(document: &Document) -> Result<Question, InputError> {
    let read = Question::try_from(document.value().clone());
    read.map_err(|error: FieldError| document.wrong_at(&error.field, error.with_help()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn seeds() -> Vec<Vec<u8>> {
        let policy =
            json!({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}]});
        let question = |principal: &str| {
            json!({
                "principal": principal, "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k",
                "resourceAccount": "111111111111", "context": {"aws:SecureTransport": true, "aws:TagKeys": ["a", 1]},
                "identityPolicies": [policy, policy.to_string()], "resourcePolicy": policy,
                "permissionsBoundary": policy, "serviceControlPolicies": [[policy], [policy]],
                "sessionPolicies": [policy], "resourceControlPolicies": [[policy]],
                "keyGrants": [{"GranteePrincipal": principal, "Operations": ["Decrypt"]}],
            })
        };
        let principals = ["arn:aws:iam::222222222222:role/r", "222222222222", "ec2.amazonaws.com", "*"];
        principals.iter().map(|principal| question(principal).to_string().into_bytes()).collect()
    }

    /// Any bytes are either a question that has an answer, or refused at a place within them.
    fn target(input: &[u8]) {
        let read = Document::parse("x".into(), input.to_vec(), "a question")
            .and_then(|document| read_question(&document));
        match read {
            Ok(question) => drop(question.evaluate().because()),
            Err(problem) => {
                let lines = input.split(|byte| *byte == b'\n').count();
                let problem = problem.to_string();
                let line = problem.split(':').nth(1).and_then(|line| line.parse::<usize>().ok());
                assert!(line.is_some_and(|line| (1..=lines).contains(&line)), "{problem}");
            }
        }
    }

    #[test]
    fn arbitrary_bytes_get_an_answer() {
        crosspipe_fuzz::smoke("question", &seeds(), target).unwrap();
    }

    /// A value is found at any path, and its line can be shown.
    fn show(input: &[u8]) {
        let Ok(document) = Document::parse("x".into(), input.to_vec(), "JSON") else { return };
        for path in [
            "",
            "context[\"aws:TagKeys\"][1]",
            "identityPolicies[0].Statement[0].Effect",
            "/resourcePolicy",
            "no.such",
        ] {
            let place = document.place(path);
            let shown = crate::excerpt::excerpt(&document.line(place.line), place).render(false);
            assert_eq!(shown.lines().count(), 3, "{shown}");
        }
    }

    #[test]
    fn any_json_is_shown() {
        crosspipe_fuzz::smoke("excerpt", &seeds(), show).unwrap();
    }
}
