//! Whether a denial that a message tells of is one that the policies show.

use super::denial::{Denial, PolicyKind};
use crate::arn::{Arn, bucket_of};
use crate::evaluation::{Side, pattern};
use crate::rules::Denied;

/// How far message and evaluation agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agreement {
    /// They speak of different requests, or the message of a side that refuses whatever this one says.
    None,
    /// The same request, and the message names another side or another reason; or another action of the same
    /// service, of the same role on the same resource.
    Related,
    /// The same request, as far as the message tells; it names no side.
    AnySide,
    /// The same request and the same side.
    Full,
}

impl Denial {
    /// Holds the denial against a request that the evaluation denies.
    pub fn agreement(&self, denied: &Denied) -> Agreement {
        let same = self.actor.as_deref().is_none_or(|actor| is_role(actor, &denied.principal))
            && self.resource.as_deref().is_none_or(|resource| is_same(resource, &denied.resource));
        let same_action = self.action.eq_ignore_ascii_case(&denied.action);
        let side = match self.side {
            _ if !same || !self.is_of_service(&denied.action) => return Agreement::None,
            None if same_action => return Agreement::AnySide,
            None => return Agreement::Related,
            Some(PolicyKind::IdentityBased) => Side::Identity,
            Some(PolicyKind::ResourceBased) => Side::Resource,
            Some(PolicyKind::PermissionsBoundary) => Side::PermissionsBoundary,
            Some(PolicyKind::ServiceControl) => Side::ServiceControl,
            // Nothing of these is in a snapshot.
            Some(PolicyKind::Session | PolicyKind::ResourceControl | PolicyKind::VpcEndpoint) => {
                return Agreement::None;
            }
        };
        let same_reason = self.explicit.is_none_or(|explicit| explicit == denied.explicit);
        match denied.side {
            its if its == side && !(same_reason && same_action) => Agreement::Related,
            // What leaves out who asked, or for what, fits others as well.
            its if its == side && (self.actor.is_none() || self.resource.is_none()) => Agreement::AnySide,
            its if its == side => Agreement::Full,
            // What the organization denies is denied for that alone.
            _ if side == Side::ServiceControl => Agreement::None,
            _ => Agreement::Related,
        }
    }
}

impl Denial {
    fn is_of_service(&self, action: &str) -> bool {
        let service = |action: &str| action.split(':').next().map(str::to_ascii_lowercase);
        service(&self.action) == service(action)
    }
}

/// Whether an actor is this role or a session of it. Sessions are named without the role's path.
pub(crate) fn is_role(actor: &str, role_arn: &str) -> bool {
    let (Ok(actor), Ok(role)) = (Arn::parse(actor), Arn::parse(role_arn)) else { return false };
    let session_of = actor.resource().strip_prefix("assumed-role/").and_then(|rest| rest.split('/').next());
    actor == role
        || (actor.account() == role.account() && session_of.is_some() && session_of == role.role_name())
}

/// Objects of one bucket count as the same: the message names the real object, the evaluation a
/// representative one. Either may have `*` in place of what was not asked for.
fn is_same(said: &str, judged: &str) -> bool {
    let bucket = bucket_of(said);
    pattern::matches(judged, said)
        || pattern::matches(said, judged)
        || (bucket.is_some() && bucket == bucket_of(judged))
}
