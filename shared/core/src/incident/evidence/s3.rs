//! S3: whether the bucket that is deployed to exists.

use super::{Details, Failure};
use crate::pipeline::Action;
use crate::snapshot::{Fact, Snapshot};

pub(super) fn read(failure: &Failure, action: &Action<'_>, snapshot: &Snapshot) -> Option<Details> {
    let name = Failure::configuration(Some(failure), action, "BucketName")?;
    match snapshot.buckets.get(name)? {
        Fact::Absent => Some(Details::missing(&format!("bucket {name}"))),
        Fact::Known(_) | Fact::Unknown => None,
    }
}
