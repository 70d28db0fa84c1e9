"""EventBridge's Lambda targets: invoked asynchronously, with retries and dead-letter queue, if permitted.

ministack starts the function once, whatever its resource policy says. AWS needs a permission for
events.amazonaws.com and keeps to the function's EventInvokeConfig.
<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html>
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc

_SERVICE = "events.amazonaws.com"
_log = logging.getLogger("local-aws")


def wrap_invoke_target(original: Callable[..., None]) -> Callable[..., None]:
    def invoke_target(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> None:
        arn = target.get("Arn", "")
        if ":lambda:" in arn and not _permitted(arn, rule["Arn"]):
            _log.warning("rule %s may not invoke %s: its resource policy does not allow %s", rule["Arn"], arn, _SERVICE)
            return
        original(target, event, rule, view)

    return invoke_target


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
