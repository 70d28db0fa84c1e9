//! Service Catalog makes a version of a product.

use super::{
    ActionPlace, ArtifactHandler, ParameterValue, Permission, ProviderFacts, passes_none, permissions_on,
};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Deploy"],
    name: "ServiceCatalog",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ServiceCatalog.html",
    artifacts: ArtifactHandler::ActionRole,
    permissions: Some(permissions),
    evidence: None,
    passed_roles: passes_none,
    parameters: &[("ServiceCatalogProductId", ParameterValue::Configuration("ProductId"))],
};

fn permissions(_: &ActionPlace<'_>) -> Vec<Permission> {
    permissions_on(
        None,
        &["servicecatalog:CreateProvisioningArtifact", "servicecatalog:ListProvisioningArtifacts"],
    )
}
