//! What several pipelines of one run use in common, read once.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use crosspipe_core::snapshot::{BucketFacts, Fact, KeyFacts, RoleFacts};
use tokio::sync::OnceCell;

use crate::Aws;

/// Keys, buckets, roles and sessions that were read, by ARN or name. One is read by whoever asks first, and those who ask
/// meanwhile wait for it. What could not be read is asked for again.
///
/// It belongs to one run: what it holds is as old as the run.
#[derive(Debug, Default)]
pub struct SharedFacts {
    pub(super) keys: Memo<KeyFacts>,
    pub(super) buckets: Memo<BucketFacts>,
    pub(super) roles: Memo<RoleFacts>,
    /// Of the diagnostics roles.
    pub(super) sessions: Memo<Aws>,
}

impl SharedFacts {
    /// Forgets what was read, since something was changed; sessions stay.
    pub fn forget(&self) {
        self.keys.forget();
        self.buckets.forget();
        self.roles.forget();
    }
}

/// Facts of one kind.
#[derive(Debug)]
pub(super) struct Memo<T>(Mutex<HashMap<String, Arc<OnceCell<Fact<T>>>>>);

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Memo(Mutex::default())
    }
}

impl<T: Clone> Memo<T> {
    /// What is known by this name, else what is read now. On the heap, since it becomes part of every reader's future.
    pub(super) async fn get(&self, name: &str, read: Pin<Box<impl Future<Output = Fact<T>>>>) -> Fact<T> {
        let cell = {
            let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(cells.entry(name.to_owned()).or_default())
        };
        let read = async || match read.await {
            Fact::Unknown => Err(()),
            settled => Ok(settled),
        };
        cell.get_or_try_init(read).await.cloned().unwrap_or(Fact::Unknown)
    }
}

impl<T> Memo<T> {
    fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

    use std::cell::Cell;

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn each_name_is_read_once() {
        let (memo, reads) = (Memo::<usize>::default(), Cell::new(0));
        let read = async || {
            tokio::task::yield_now().await;
            reads.set(reads.get() + 1);
            Fact::Known(reads.get())
        };
        let both = join_all([memo.get("a", Box::pin(read())), memo.get("a", Box::pin(read()))]).await;
        assert_eq!(both, [Fact::Known(1), Fact::Known(1)]);
        assert_eq!(memo.get("b", Box::pin(read())).await, Fact::Known(2));
        assert_eq!(memo.get("c", Box::pin(async { Fact::Absent })).await, Fact::Absent);
        memo.forget();
        assert_eq!(memo.get("a", Box::pin(read())).await, Fact::Known(3));
    }

    #[tokio::test]
    async fn unknown_is_asked_for_again() {
        let memo = Memo::<usize>::default();
        assert_eq!(memo.get("a", Box::pin(async { Fact::Unknown })).await, Fact::Unknown);
        assert_eq!(memo.get("a", Box::pin(async { Fact::Known(1) })).await, Fact::Known(1));
    }
}
