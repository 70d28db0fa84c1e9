//! What is said of a custom resource to those who write its template, beside the code that reads it.

use crosspipe_core::remediation::ResourceType;

use crate::resource::Resource;
use crate::{BucketGrant, BuildProjectKey, KeyGrant, PipelinePatch, ServiceRoleGrant};

/// A property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// Whether it has to be given.
    pub presence: Presence,
    /// What it is, as Markdown.
    pub meaning: &'static str,
}

/// Whether a property has to be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It has to.
    Required,
    /// It need not: this is what holds then.
    Default(&'static str),
    /// One of these has to be given.
    OneOf(&'static str),
}

/// An attribute of `Fn::GetAtt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// What it is, as Markdown.
    pub meaning: &'static str,
}

/// All that is said of one custom resource.
#[derive(Debug, Clone)]
pub struct Reference {
    /// The type.
    pub resource_type: ResourceType,
    /// What it does, as Markdown.
    pub does: &'static str,
    /// Its properties, its own before those that it shares.
    pub properties: Vec<Property>,
    /// Its attributes, beside those that all have.
    pub attributes: &'static [Attribute],
}

/// The attributes that every custom resource has.
pub const COMMON_ATTRIBUTES: [Attribute; 1] = [Attribute {
    name: "Notice",
    meaning: "`none`, or what to know: a stack that owns the target, a build role that lacks the artifact key, uploads that are denied from now on",
}];

impl Property {
    /// A property that has to be given.
    pub(crate) const fn required(name: &'static str, meaning: &'static str) -> Self {
        Property { name, presence: Presence::Required, meaning }
    }

    /// One that need not be given.
    pub(crate) const fn default(name: &'static str, default: &'static str, meaning: &'static str) -> Self {
        Property { name, presence: Presence::Default(default), meaning }
    }

    /// One of several, of which at least one has to be given.
    pub(crate) const fn one_of(name: &'static str, which: &'static str, meaning: &'static str) -> Self {
        Property { name, presence: Presence::OneOf(which), meaning }
    }
}

/// What is said of a type.
pub fn reference(resource_type: ResourceType) -> Reference {
    fn of<R: Resource>() -> Reference {
        Reference {
            resource_type: R::TYPE,
            does: R::DOES,
            properties: R::PROPERTIES.concat(),
            attributes: R::ATTRIBUTES,
        }
    }
    match resource_type {
        ResourceType::ArtifactKeyGrant => of::<KeyGrant>(),
        ResourceType::ArtifactBucketGrant => of::<BucketGrant>(),
        ResourceType::ServiceRoleGrant => of::<ServiceRoleGrant>(),
        ResourceType::BuildProjectKey => of::<BuildProjectKey>(),
        ResourceType::PipelinePatch => of::<PipelinePatch>(),
    }
}
