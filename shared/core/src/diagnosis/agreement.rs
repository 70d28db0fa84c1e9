//! Whether a denial that a message tells of is one that the policies show.

use crate::arn::bucket_of;
use crate::evaluation::{Side, pattern};
use crate::incident::actor::{is_role, without_redaction};
use crate::incident::message::{Denial, PolicyKind};
use crate::rules::Denied;

/// How far message and evaluation agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agreement {
    /// They speak of different requests, or the message of a side that refuses whatever this one says.
    None,
    /// The same request, and the message names another side or another reason; or another action of the same
    /// service, of the same role on the same resource.
    Related,
    /// The same request, as far as the message tells; it leaves out the side or the resource.
    AnySide,
    /// The same request and the same side.
    Full,
}

impl Denial {
    /// Holds the denial against a request that the evaluation denies.
    pub fn agreement(&self, denied: &Denied) -> Agreement {
        let same_actor = self.actor.as_deref().is_none_or(|actor| is_role(actor, &denied.principal));
        let same_resource = self.resource.as_deref().is_none_or(|it| is_same(it, &denied.resource));
        if !same_actor || !same_resource || service_of(&self.action) != service_of(&denied.action) {
            return Agreement::None;
        }
        let side = match self.side {
            None => None,
            Some(PolicyKind::IdentityBased) => Some(Side::Identity),
            Some(PolicyKind::ResourceBased) => Some(Side::Resource),
            Some(PolicyKind::PermissionsBoundary) => Some(Side::PermissionsBoundary),
            // What the organization denies is denied for that alone.
            Some(PolicyKind::ServiceControl) if denied.side != Side::ServiceControl => {
                return Agreement::None;
            }
            Some(PolicyKind::ServiceControl) => Some(Side::ServiceControl),
            // Nothing of these is in a snapshot.
            Some(
                PolicyKind::Session
                | PolicyKind::ResourceControl
                | PolicyKind::VpcEndpoint
                | PolicyKind::Other,
            ) => {
                return Agreement::None;
            }
        };
        let same_action = self.action.eq_ignore_ascii_case(&denied.action);
        let same_side = side.is_none_or(|side| side == denied.side);
        let same_reason = self.explicit.is_none_or(|explicit| explicit == denied.explicit);
        match side {
            // A message that keeps to itself who asked may be about anybody.
            _ if !same_action || !same_side || !same_reason || self.actor.is_none() => Agreement::Related,
            Some(_) if self.resource.is_some() => Agreement::Full,
            _ => Agreement::AnySide,
        }
    }
}

fn service_of(action: &str) -> Option<String> {
    action.split_once(':').map(|(service, _)| service.to_ascii_lowercase())
}

/// Objects of one bucket count as the same: the message names the real object, the evaluation a
/// representative one. Either may have `*` in place of what was not asked for.
fn is_same(said: &str, judged: &str) -> bool {
    let bucket = bucket_of(said);
    let said = &without_redaction(said);
    pattern::matches(judged, said)
        || pattern::matches(said, judged)
        || (bucket.is_some() && bucket == bucket_of(judged))
}
