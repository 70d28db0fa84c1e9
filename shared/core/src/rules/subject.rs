//! What a rule is about.

/// What a rule is about, in the order in which an action runs into such faults: assume the role, fetch from S3,
/// decrypt, use the provider, which then works with roles of its own. What only a message tells comes last, since
/// a fault that is shown says more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The service role assumes the action role.
    Trust,
    /// How artifact stores and their keys are set up; no policy fixes it.
    Store,
    /// How the pipeline and its actions are set up; no policy fixes it.
    Setting,
    /// What an artifact bucket's policy allows.
    BucketPolicy,
    /// What a role's own policies allow on a bucket.
    BucketOfRole,
    /// What an artifact key's policy allows.
    KeyPolicy,
    /// What a role's own policies allow on a key.
    KeyOfRole,
    /// What the action role may do with the action's provider.
    Provider,
    /// What roles may do that work for the provider: of stacks, builds, instances.
    OtherRole,
    /// A role that AWS says was denied, or could not be assumed, whichever it is.
    DeniedRole,
    /// What AWS's message says, repeated and explained.
    Message,
    /// What works, and should not be so.
    Practice,
}

impl Subject {
    /// Whether it is about who may do what. Where a failure is no matter of permissions, such a fault is not its
    /// cause.
    pub fn is_about_permissions(self) -> bool {
        !(self.is_setting() || self == Subject::Message)
    }

    /// Whether it is about how something is set up, which no policy mends.
    pub fn is_setting(self) -> bool {
        matches!(self, Subject::Store | Subject::Setting)
    }

    /// Whether it is about what an action does with artifacts.
    pub fn is_about_artifacts(self) -> bool {
        matches!(
            self,
            Subject::BucketPolicy | Subject::BucketOfRole | Subject::KeyPolicy | Subject::KeyOfRole
        )
    }

    /// Whether such a finding repeats what the message says, so that without a request that the policies are seen
    /// to refuse there is nothing to confirm it by.
    pub fn repeats_message(self) -> bool {
        matches!(self, Subject::DeniedRole | Subject::Message)
    }
}
