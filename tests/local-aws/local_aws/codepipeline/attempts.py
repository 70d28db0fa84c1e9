"""What an action of a running pipeline can really be tried on: roles, artifact bucket, artifact key.

The provider's own work (a deployment, a stack) is not emulated, but for the agent's download of a revision; what
CodePipeline does before it is: assume the action's role, fetch the input artifacts with it and write the output
artifacts with it.
Each denial is the evaluator's, on the policies as they are at that moment.
"""

from __future__ import annotations

import uuid
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import codebuild, s3

from .. import evaluation
from ..evaluation import Role
from . import deployments, structure
from .failures import Failure

_TLS_AND_KMS = {"s3:x-amz-server-side-encryption": "aws:kms"}


def attempt(pipeline: dict[str, Any], action: dict[str, Any]) -> Failure | None:
    """The failure of the action, or None if everything that can be tried works."""
    service_role = Role(pipeline["roleArn"])
    if not evaluation.service_may_assume(structure.SERVICE, service_role):
        return Failure(
            "PermissionError", f"CodePipeline is not authorized to perform AssumeRole on role {service_role.arn}"
        )
    arn = action.get("roleArn")
    if not arn or arn == service_role.arn:
        return _try_build(pipeline, action)
    role = Role(arn)
    if not evaluation.may_assume(service_role, "codepipeline", role):
        return Failure("PermissionError", f"{service_role.arn} is not authorized to perform AssumeRole on role {arn}")
    if role.account == get_account_id():
        return None
    return _try_artifacts(pipeline, action, role) or _try_provider(pipeline, action, role)


def _try_build(pipeline: dict[str, Any], action: dict[str, Any]) -> Failure | None:
    """A build of the pipeline's own account, where its project has a role that CodeBuild may assume. Projects of tests
    that are not about builds have none, and succeed."""
    project = _project(action)
    role = Role(project["serviceRole"]) if project else None
    if role is None or not evaluation.service_may_assume("codebuild.amazonaws.com", role):
        return None
    return _try_artifacts(pipeline, action, role)


def _project(action: dict[str, Any]) -> dict[str, Any] | None:
    """The build project of an action of the pipeline's own account, if CodeBuild has it: a build uses artifacts as the
    project's service role."""
    if action["actionTypeId"]["provider"] != "CodeBuild" or action.get("roleArn"):
        return None
    return codebuild._projects.get((action.get("configuration") or {}).get("ProjectName"))


def _key_of(pipeline: dict[str, Any], artifact: dict[str, Any], store: dict[str, Any]) -> str | None:
    """The key that an artifact is under, none for aws/s3: the store's, unless a project without a key built it."""
    for action in (action for stage in pipeline["stages"] for action in stage["actions"]):
        project = _project(action)
        built = project and artifact["name"] in [one["name"] for one in action.get("outputArtifacts") or []]
        if built and ":alias/aws/" in (project.get("encryptionKey") or ":alias/aws/s3"):
            return None
    return (store.get("encryptionKey") or {}).get("id")


def _try_artifacts(pipeline: dict[str, Any], action: dict[str, Any], role: Role) -> Failure | None:
    store = store_of(pipeline, action)
    inputs, outputs = action.get("inputArtifacts") or [], action.get("outputArtifacts") or []
    if not inputs and not outputs:
        return None
    bucket, session = store["location"], str(uuid.uuid4()).replace("-", "")
    if s3._bucket_owner_account(bucket) is None:
        return Failure("ConfigurationError", f"No bucket with the name {bucket} was found")
    for artifact in inputs:
        location = _location(pipeline, artifact, session)
        verdict = evaluation.may(role, session, "s3:GetObject", f"arn:aws:s3:::{bucket}/{location}")
        if not verdict.allowed:
            return _bucket_denied(bucket)
        if failure := _try_key(_key_of(pipeline, artifact, store), role, session, "kms:Decrypt", bucket, location):
            return failure
    for artifact in outputs:
        location = _location(pipeline, artifact, session)
        verdict = evaluation.may(role, session, "s3:PutObject", f"arn:aws:s3:::{bucket}/{location}", _TLS_AND_KMS)
        if not verdict.allowed:
            return Failure("PermissionError", "Upload to S3 failed with the following error: Access Denied")
        key = _key_of(pipeline, artifact, store)
        if failure := _try_key(key, role, session, "kms:GenerateDataKey", bucket, location):
            return failure
    return None


def _location(pipeline: dict[str, Any], artifact: dict[str, Any], session: str) -> str:
    return f"{pipeline['name'][:20]}/{artifact['name'][:10]}/{session[:7]}"


def store_of(pipeline: dict[str, Any], action: dict[str, Any]) -> dict[str, Any]:
    """The artifact store of the action's Region."""
    stores = pipeline.get("artifactStores")
    return stores[action.get("region") or get_region()] if stores else pipeline["artifactStore"]


def _try_key(
    given: str | None, role: Role, session: str, operation: str, bucket: str, location: str
) -> Failure | None:
    if not given and role.account == get_account_id():
        return None
    if not given:
        # The AWS managed key aws/s3 admits its own account only.
        return Failure(
            "PermissionError",
            f"Unable to access the artifact with Amazon S3 object key '{location}' located in the Amazon S3 artifact "
            f"bucket '{bucket}'. The provided role does not have sufficient permissions.",
        )
    # A bare id or an alias is looked up by whoever uses it: here the role, in its own account.
    kind = "" if given.startswith("alias/") else "key/"
    key = given if given.startswith("arn:") else f"arn:aws:kms:{get_region()}:{role.account}:{kind}{given}"
    record = evaluation.key_record(key)
    if record is None:
        return Failure(
            "JobFailed",
            f"Key '{key}' does not exist (Service: Amazon S3; Status Code: 400; Error Code: KMS.NotFoundException; "
            f"Request ID: {session[:16].upper()})",
        )
    if record.get("KeyState") != "Enabled":
        return Failure(
            "JobFailed",
            f"{key} is {_state(record)}. (Service: Amazon S3; Status Code: 400; "
            f"Error Code: {_state_code(record)}; Request ID: {session[:16].upper()})",
        )
    verdict = evaluation.may(role, session, operation, key)
    if verdict.allowed:
        return None
    return Failure(
        "PermissionError",
        f"User: {role.session_arn(session)} is not authorized to perform: {operation} on resource: {key} "
        f"{verdict.reason} (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; "
        f"Request ID: {session[:16].upper()})",
    )


def _state(record: dict[str, Any]) -> str:
    return "disabled" if record.get("KeyState") == "Disabled" else "pending deletion"


def _state_code(record: dict[str, Any]) -> str:
    return "KMS.DisabledException" if record.get("KeyState") == "Disabled" else "KMS.KMSInvalidStateException"


def _bucket_denied(bucket: str) -> Failure:
    return Failure(
        "PermissionError",
        "The service role or action role doesn't have the permissions required to access the Amazon S3 bucket named "
        f"{bucket}. Update the IAM role permissions, and then try again. Error: Amazon S3:AccessDenied:Access Denied "
        "(Service: Amazon S3; Status Code: 403; Error Code: AccessDenied)",
    )


def _try_provider(pipeline: dict[str, Any], action: dict[str, Any], role: Role) -> Failure | None:
    kind, configuration = action["actionTypeId"], action.get("configuration") or {}
    if kind["provider"] == "CloudFormation":
        stack_role = configuration.get("RoleArn", "")
        if stack_role and Role(stack_role).account != role.account:
            return Failure(
                "JobFailed",
                "Cross-account pass role is not allowed (Service: AmazonCloudFormation; Status Code: 403; "
                "Error Code: AccessDenied)",
            )
    if kind["provider"] == "CodeCommit":
        return _try_repository(configuration.get("RepositoryName", ""), role)
    if kind["provider"] == "CodeDeploy":
        store = store_of(pipeline, action)
        key = (store.get("encryptionKey") or {}).get("id")
        locations = [_location(pipeline, artifact, str(uuid.uuid4())) for artifact in action.get("inputArtifacts") or []]
        return deployments.lacks_permission(action, role) or deployments.deploy(
            action, role, store["location"], key, locations
        )
    return None


def _try_repository(name: str, role: Role) -> Failure | None:
    repository = f"arn:aws:codecommit:{get_region()}:{role.account}:{name}"
    for operation in ("GetBranch", "GetCommit", "UploadArchive", "GetUploadArchiveStatus"):
        if not evaluation.may(role, "codepipeline", f"codecommit:{operation}", repository).allowed:
            return Failure(
                "PermissionError",
                "The service role or action role doesn't have the permissions required to access the AWS CodeCommit "
                f"repository named {name}. Update the IAM role permissions, and then try again. Error: User: "
                f"{role.session_arn('codepipeline')} is not authorized to perform: codecommit:{operation}",
            )
    return None
