"""Targets of EventBridge's rules that ministack takes for something else, or does not know: functions, event buses of
other accounts and Regions, pipelines.

- A function is invoked asynchronously, with retries and dead-letter queue, if its resource policy permits it.
- A bus elsewhere gets the event, which keeps its account and Region, if the target's role may put it there and the bus
  lets it; from there it goes no further.
- A pipeline is started if the target's role may start it.

<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html>,
<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html>
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import eventbridge, lambda_svc

from . import evaluation
from .codepipeline import executions, pipelines
from .evaluation import Role

_SERVICE = "events.amazonaws.com"
_log = logging.getLogger("local-aws")

Json = dict[str, Any]


def wrap_invoke_target(original: Callable[..., None]) -> Callable[..., None]:
    def invoke_target(target: Json, event: Json, rule: Json, view: Any = None) -> None:
        arn = target.get("Arn", "")
        _, _, service, region, account, resource = [*arn.split(":", 5), *[""] * 6][:6]
        if service == "codepipeline":
            refusal = _start_pipeline(target, arn, resource)
        elif service == "events" and resource.startswith("event-bus/") and (account, region) != _here():
            refusal = _forward(target, event, arn)
        elif service == "lambda" and not _permitted(arn, rule["Arn"]):
            refusal = f"its resource policy does not allow {_SERVICE}"
        else:
            original(target, event, rule, view)
            return
        if refusal:
            _log.warning("rule %s does not reach %s: %s", rule["Arn"], arn, refusal)

    return invoke_target


# The member that names the rule that an operation is on.
_RULE = {"DescribeRule": "Name", "ListTargetsByRule": "Rule", "PutTargets": "Rule", "RemoveTargets": "Rule"}


def resource_arn(headers: Any, body: bytes, region: str, account: str) -> str | None:
    """The rule that IAM evaluates a request on, or None where ministack has it right."""
    member = _RULE.get(str(headers.get("x-amz-target", "")).rpartition(".")[2])
    if member is None:
        return None
    request = json.loads(body or b"{}")
    bus = (request.get("EventBusName") or "default").rpartition("/")[2]
    path = request.get(member, "") if bus == "default" else f"{bus}/{request.get(member, '')}"
    return f"arn:aws:events:{region}:{account}:rule/{path}"


def _here() -> tuple[str, str]:
    return get_account_id(), get_region()


def _start_pipeline(target: Json, arn: str, name: str) -> str | None:
    """Why the pipeline is not started, or nothing."""
    role = _role_of(target)
    if role is None:
        return f"{_SERVICE} can't assume its role {target.get('RoleArn')}"
    verdict = evaluation.may(role, "events", "codepipeline:StartPipelineExecution", arn)
    if not verdict.allowed:
        return f"{role.arn} may not start it {verdict.reason}"
    if name not in pipelines.PIPELINES:
        return "there is no such pipeline"
    executions.start(pipelines.find(name)["pipeline"], None)
    return None


def _forward(target: Json, event: Json, arn: str) -> str | None:
    """Why the event does not get to the bus, or nothing."""
    _, _, _, region, account, resource = arn.split(":", 5)
    bus = resource.split("/", 1)[1]
    if event.get("_Forwarded"):
        return "it was forwarded once already"
    role = _role_of(target)
    if role is None:
        return f"{_SERVICE} can't assume its role {target.get('RoleArn')}"
    keys = {
        "events:source": event["Source"],
        "events:detail-type": event["DetailType"],
        "events:eventbusinvocation": "true",
    }
    principal = role.principal("events")
    context = evaluation.context(principal, "events:PutEvents", arn, keys)
    policy = eventbridge._event_bus_policies.get_scoped(account, region, bus)
    verdict = evaluation.judge(principal, context, (json.dumps(policy) if policy else "", account))
    if not verdict.allowed:
        return f"{role.arn} may not put events {verdict.reason}"
    with request_scope(account, region):
        eventbridge._ensure_default_bus()
        if bus not in eventbridge._event_buses:
            return "there is no such bus"
        # The rules of the other account may have this one's name.
        eventbridge._dispatch_event({**event, "EventBusName": bus, "_DispatchPath": [], "_Forwarded": True})
    return None


def _role_of(target: Json) -> Role | None:
    """The target's role, if it is of this account and EventBridge may assume it."""
    role = Role(target.get("RoleArn") or ":::::")
    assumable = role.account == get_account_id() and evaluation.service_may_assume(_SERVICE, role)
    return role if assumable else None


def _permitted(function_arn: str, rule_arn: str) -> bool:
    found = lambda_svc.function_policy_for_arn(function_arn)
    ctx = EvalContext(
        principal_arn=f"arn:aws:iam::{get_account_id()}:service",
        principal_type="Service",
        principal_account="",
        action="lambda:InvokeFunction",
        resource_arn=function_arn,
        region=get_region(),
        secure_transport=True,
        service_context={"aws:sourcearn": rule_arn, "aws:sourceaccount": get_account_id()},
    )
    return bool(found) and evaluate_resource_policy(found[0], ctx, service=_SERVICE).decision == "Allow"


def wrap_dispatch_to_lambda(_original: Callable[..., None]) -> Callable[..., None]:
    def dispatch_to_lambda(arn: str, payload: str) -> None:
        function, config, name = lambda_svc._get_func_record_for_ref(arn)
        if not function or not config:
            _log.warning("rule target %s not found", name)
            return
        lambda_svc.invoke_async_with_retry(
            lambda_svc._execution_record_for_config(function, config), json.loads(payload)
        )

    return dispatch_to_lambda
