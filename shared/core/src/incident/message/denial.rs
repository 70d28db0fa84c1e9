//! AWS's access-denied grammar.
//!
//! ```text
//! [User: ]ACTOR is not authorized to perform: ACTION [on resource: RESOURCE]
//!     [because no KIND policy allows the ACTION action | with an explicit deny in a KIND policy[: ARN]]
//! ```
//!
//! Services put it in other sentences, quote parts of it, leave some out and append request ids, encoded
//! authorization messages and links. KMS has its own form for a ciphertext whose key it does not disclose.
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>.

mod other_forms;

use super::services::principal_of;

/// A request that AWS says it denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// Who asked: the ARN of a role, a session of one, a user; or a service by its principal. Redacted messages
    /// have none.
    pub actor: Option<String>,
    /// The action, `kms:Decrypt`.
    pub action: String,
    /// The resource's ARN, where the message has one.
    pub resource: Option<String>,
    /// The kind of policy that denied, or that had no statement to allow.
    pub side: Option<PolicyKind>,
    /// Whether a statement denies; none where the message does not say.
    pub explicit: Option<bool>,
    /// The ARN of the policy that denies, which newer messages add.
    pub policy: Option<String>,
}

/// The kinds of policy that AWS's messages tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyKind {
    /// The requester's own policies.
    IdentityBased,
    /// The resource's policy; a role's trust policy is one.
    ResourceBased,
    /// The requester's permissions boundary.
    PermissionsBoundary,
    /// A policy that was given when the session was made.
    Session,
    /// A service control policy of the requester's organization.
    ServiceControl,
    /// A resource control policy of the resource's organization.
    ResourceControl,
    /// The policy of the VPC endpoint that the request came through.
    VpcEndpoint,
    /// Something else, such as a setting that blocks public access: a reason of its own.
    Other,
}

const KINDS: [(&str, PolicyKind); 8] = [
    ("identity-based polic", PolicyKind::IdentityBased),
    ("resource-based polic", PolicyKind::ResourceBased),
    ("role trust polic", PolicyKind::ResourceBased),
    ("permissions boundar", PolicyKind::PermissionsBoundary),
    ("session polic", PolicyKind::Session),
    ("service control polic", PolicyKind::ServiceControl),
    ("resource control polic", PolicyKind::ResourceControl),
    ("vpc endpoint polic", PolicyKind::VpcEndpoint),
];

/// What some services put before the action.
const FILLERS: [&str; 5] =
    ["the following action(s)", "the following actions", "the following action", "operation:", "action:"];
const PERFORM: &str = "not authorized to perform";
const NO: &str = "because no ";
const DENY: &str = "explicit deny";

/// Finds the first denial in a text that names its action.
pub fn denial(text: &str) -> Option<Denial> {
    let text = super::on_one_line(text);
    by_grammar(&text).or_else(|| other_forms::read(&text))
}

fn by_grammar(text: &str) -> Option<Denial> {
    text.match_indices(PERFORM).find_map(|(at, _)| {
        let (before, after) = (text.get(..at)?, text.get(at + PERFORM.len()..)?);
        // What a next denial says is none of this one's.
        let after = after.find(PERFORM).and_then(|end| after.get(..end)).unwrap_or(after);
        let (action, rest) = action(after)?;
        let (side, explicit, policy) = reason(rest);
        Some(Denial { actor: actor(before), action, resource: resource(rest), side, explicit, policy })
    })
}

/// The word before `is`.
fn actor(before: &str) -> Option<String> {
    let before = before.trim_end();
    let before = before.strip_suffix(" is").or_else(|| before.strip_suffix(" are"))?;
    let word = bare(before.rsplit(' ').next()?);
    // Some put a colon and no space before it: `Message:arn:aws:…`.
    let arn = word.find("arn:aws").and_then(|at| word.get(at..));
    if let Some(named) = arn.or(Some(word).filter(|word| word.contains(".amazonaws.com"))) {
        return Some(named.to_owned());
    }
    principal_of(word).map(str::to_owned)
}

/// `service:Action`, and what comes after it.
fn action(after: &str) -> Option<(String, &str)> {
    let after = after.trim_start_matches([':', ' ']);
    let after = FILLERS.iter().find_map(|filler| after.strip_prefix(filler)).unwrap_or(after);
    let after = after.trim_start_matches([':', ' ']);
    let (word, rest) = after.split_once(' ').unwrap_or((after, ""));
    let word = bare(word);
    let (service, name) = word.split_once(':')?;
    let plain = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '*' | '_'))
    };
    (plain(service) && plain(name)).then(|| (word.to_owned(), rest))
}

fn resource(rest: &str) -> Option<String> {
    const ON: &str = "on resource";
    let Some(at) = rest.find(ON) else { return resource_without_name(rest) };
    let text = rest.get(at + ON.len()..)?.trim_start_matches([':', 's', ' ']);
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
    if let Some((quoted, _)) = quote.and_then(|quote| text.get(1..)?.split_once(quote)) {
        return Some(quoted.to_owned()).filter(|quoted| !quoted.is_empty());
    }
    // Names of objects may have spaces; nothing else that is named here does.
    let end =
        [" because ", " with an explicit deny", " (Service"].iter().filter_map(|end| text.find(end)).min();
    let whole = end.and_then(|end| text.get(..end)).filter(|text| text.contains(":s3:::"));
    let resource = whole.unwrap_or_else(|| text.split(' ').next().unwrap_or_default());
    // A message that was cut in the middle of it does not say what it was.
    let is_cut = ["...", "…"].iter().any(|end| resource.ends_with(end));
    let is_cut = is_cut || resource == text && is_part_of_key(resource);
    Some(bare(resource).to_owned()).filter(|resource| !resource.is_empty() && !is_cut)
}

/// An ARN after `on`, where nothing calls it a resource: `on arn:…`, `on role arn:…`.
fn resource_without_name(rest: &str) -> Option<String> {
    let (_, named) = format!(" {rest}").split_once(" on ").map(|(_, named)| ((), named.to_owned()))?;
    let word = named.split(' ').take(2).map(bare).find(|word| word.starts_with("arn:"))?;
    Some(word.to_owned())
}

/// Whether a key's ARN ends within its id.
fn is_part_of_key(resource: &str) -> bool {
    let Some((before, id)) = resource.split_once(":key/") else { return false };
    let whole = [36, "mrk-".len() + 32].contains(&id.len());
    before.contains(":kms:") && !whole && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

fn reason(rest: &str) -> (Option<PolicyKind>, Option<bool>, Option<String>) {
    if let Some(no) = after(rest, NO) {
        let kind = kind(no).map(|(kind, _)| kind).or_else(|| kind_before_cut(no));
        return (Some(kind.unwrap_or(PolicyKind::Other)), Some(false), None);
    }
    if let Some(deny) = after(rest, DENY) {
        let named = after(deny, " in a").and_then(kind);
        let policy =
            named.and_then(|(_, rest)| rest.strip_prefix("y: ")).filter(|rest| rest.starts_with("arn:"));
        let policy = policy.and_then(|rest| rest.split(' ').next()).map(|arn| bare(arn).to_owned());
        let named = named.or_else(|| after(deny, " in the ").and_then(kind));
        // In something, though in none of these kinds.
        let in_other = deny.trim_start().starts_with("in ").then_some(PolicyKind::Other);
        return (named.map(|(kind, _)| kind).or(in_other), Some(true), policy);
    }
    // KMS: "because the resource does not exist in this Region, no resource-based policies allow access, or a
    // resource-based policy explicitly denies access".
    let unsaid = rest.contains("no resource-based policies allow access");
    let other = rest.contains("because ").then_some(PolicyKind::Other);
    (unsaid.then_some(PolicyKind::ResourceBased).or(other), None, None)
}

/// The kind that is named at the beginning, an article aside, and what comes after the words.
fn kind(text: &str) -> Option<(PolicyKind, &str)> {
    let text = text.strip_prefix("n ").unwrap_or(text).trim_start();
    let starts = |name: &str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let (name, kind) = KINDS.iter().find(|(name, _)| starts(name))?;
    Some((*kind, text.get(name.len()..)?))
}

/// The kind of which a message that was cut has only the beginning.
fn kind_before_cut(text: &str) -> Option<PolicyKind> {
    let text = text.trim_end_matches(['.', '…', ' ']);
    let mut kinds = KINDS.iter().filter(|(name, _)| text.len() < name.len() && name.starts_with(text));
    let (_, kind) = kinds.next().filter(|_| !text.is_empty())?;
    kinds.all(|(_, other)| other == kind).then_some(*kind)
}

fn after<'a>(text: &'a str, marker: &str) -> Option<&'a str> {
    text.split_once(marker).map(|(_, rest)| rest)
}

/// A word without the punctuation around it.
pub(super) fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| "'\"`()[]<>,;.:".contains(c))
}
