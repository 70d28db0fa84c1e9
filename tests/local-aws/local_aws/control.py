"""`POST /_local/...`: what a test arranges that no AWS operation can. JSON in, JSON out.

| path | body | does |
|---|---|---|
| `fail` | `account`, `region`, `pipeline`, `stage`, `action`, `code`, `summary`, `externalExecutionId`? | the action fails so in every later execution; `"code": null` ends it |
| `fail-again` | `account`, `region`, `pipeline`, `actionExecutionId` | that action fails once more in the same execution: `{"actionExecutionId"}` |
| `fail-condition` | `account`, `region`, `pipeline`, `pipelineExecutionId`, `stage`, `rule` | ListRuleExecutions has a failed rule of the stage |
| `deployment` | `account`, `region`, `deploymentInfo`, `targets`? | CodeDeploy knows this deployment |
| `instances` | `account`, `region`, `application`, `group`, `role`, `instances` | CodeDeploy deploys to instances of this role (an ARN): each fetches the revision as it |
| `deployment-group` | `account`, `region`, `applicationName`, `deploymentGroupName`, `computePlatform` | CodeDeploy knows this deployment group |
| `fault` | `service`, `operation`, `account`?, `times` (1), `skip` (0), `status` (400), `code`, `message`, `after` (false) | the next `times` matching calls, after `skip`, answer the error; with `after`, the call is carried out all the same |
| `edit` | `account`, `region`, `pipeline` | somebody else writes this structure just before the next UpdatePipeline of that pipeline is carried out |
| `event` | `account`, `region`, `source`, `detailType`, `resources`, `detail` | a service puts this event on the account's default bus |
| `trail` | `account` | EventBridge gets CloudTrail's records of the account's calls |
| `organization` | `account`, `id`, `paths` | condition keys aws:PrincipalOrgID, aws:PrincipalOrgPaths and aws:ResourceOrgID of the account |
| `calls` | `account`?, `service`?, `operation`? | the calls since the start: `{"calls": [{account, caller, service, operation, status, begin, end}]}`, in the order of their ends; times in seconds |
| `latency` | `account`, `seconds` | each call of the account takes that much longer, so that calls side by side are seen to be; 0 ends it |
| `violations` | `account`? | takes the requests and answers that AWS's models don't allow: `{"violations": [{account, caller, side, service, operation, member, message}]}` |
| `new-members` | `account`, `service`, `members` | AWS is taken to have got these members since its models were published |
| `operations` | | how often each operation was seen: `{"operations": {service: {operation: count}}}` |
| `reset` | | forgets faults, latencies, scripted failures, deployments, instances, organizations, trails, new members and calls |

`service` and `operation` are those of the IAM action (`kms`, `PutKeyPolicy`), which for a few S3 operations is not the API's name.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.core import iam_actions, iam_evaluator, router
from ministack.core.responses import get_account_id, request_scope
from ministack.services import eventbridge

from . import cloudtrail, codedeploy, models
from .codepipeline import executions
from .codepipeline.deployments import INSTANCES
from .codepipeline.executions import SCRIPTED
from .codepipeline.failures import Failure
from .codepipeline.pipelines import EDITS

PREFIX = "/_local/"

_faults: list[dict[str, Any]] = []
_calls: deque[dict[str, Any]] = deque(maxlen=20_000)
_latencies: dict[str, float] = {}  # account -> seconds
ORGANIZATIONS: dict[str, dict[str, Any]] = {}  # account -> {"id", "paths"}


def _fail(request: dict[str, Any]) -> dict[str, Any]:
    place = (request["pipeline"], request["stage"], request["action"])
    with request_scope(request["account"], request["region"]):
        SCRIPTED.pop(place, None)
        if request["code"] is not None:
            SCRIPTED[place] = Failure(request["code"], request["summary"], request.get("externalExecutionId", ""))
    return {}


def _fail_again(request: dict[str, Any]) -> dict[str, Any]:
    with request_scope(request["account"], request["region"]):
        return {"actionExecutionId": executions.fail_again(request["pipeline"], request["actionExecutionId"])}


def _fail_condition(request: dict[str, Any]) -> dict[str, Any]:
    with request_scope(request["account"], request["region"]):
        executions.fail_condition(
            request["pipeline"], request["pipelineExecutionId"], request["stage"], request["rule"]
        )
    return {}


def _deployment(request: dict[str, Any]) -> dict[str, Any]:
    with request_scope(request.pop("account"), request.pop("region")):
        codedeploy.register(request)
    return {}


def _instances(request: dict[str, Any]) -> dict[str, Any]:
    group = (request["application"], request["group"])
    with request_scope(request["account"], request["region"]):
        INSTANCES[group] = {"role": request["role"], "instances": request["instances"]}
    return {}


def _deployment_group(request: dict[str, Any]) -> dict[str, Any]:
    with request_scope(request.pop("account"), request.pop("region")):
        codedeploy.register_group(request)
    return {}


def _fault(request: dict[str, Any]) -> dict[str, Any]:
    defaults = {
        "account": None,
        "times": 1,
        "skip": 0,
        "status": 400,
        "message": "injected by the test",
        "after": False,
    }
    missing = [member for member in ("service", "operation", "code") if member not in request]
    if missing:
        raise KeyError(missing[0])
    _faults.append({**defaults, **request})
    return {}


def _edit(request: dict[str, Any]) -> dict[str, Any]:
    with request_scope(request["account"], request["region"]):
        EDITS[request["pipeline"]["name"]] = request["pipeline"]
    return {}


def _event(request: dict[str, Any]) -> dict[str, Any]:
    entry = {
        "Source": request["source"],
        "DetailType": request["detailType"],
        "Resources": request["resources"],
        "Detail": json.dumps(request["detail"]),
    }
    with request_scope(request["account"], request["region"]):
        # Only services publish `aws.*` sources.
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
    return {}


def _trail(request: dict[str, Any]) -> dict[str, Any]:
    cloudtrail.TRAILS.add(request["account"])
    return {}


def _organization(request: dict[str, Any]) -> dict[str, Any]:
    ORGANIZATIONS[request["account"]] = {"id": request["id"], "paths": request.get("paths", [])}
    return {}


def _list_calls(request: dict[str, Any]) -> dict[str, Any]:
    wanted = {member: request[member] for member in ("account", "service", "operation") if member in request}
    return {"calls": [call for call in _calls if all(call[member] == value for member, value in wanted.items())]}


def _latency(request: dict[str, Any]) -> dict[str, Any]:
    _latencies[request["account"]] = float(request["seconds"])
    return {}


def _violations(request: dict[str, Any]) -> dict[str, Any]:
    return {"violations": models.take_violations(request.get("account"))}


def _new_members(request: dict[str, Any]) -> dict[str, Any]:
    known = models.NEW_MEMBERS.setdefault(request["account"], set())
    known.update((request["service"], member) for member in request["members"])
    return {}


def _operations(_request: dict[str, Any]) -> dict[str, Any]:
    return {"operations": models.operations_seen()}


def _reset(_request: dict[str, Any]) -> dict[str, Any]:
    for store in (
        _faults,
        _calls,
        _latencies,
        SCRIPTED,
        codedeploy.DEPLOYMENTS,
        codedeploy.GROUPS,
        INSTANCES,
        ORGANIZATIONS,
        cloudtrail.TRAILS,
        models.NEW_MEMBERS,
    ):
        store.clear()
    return {}


_OPERATIONS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "fail": _fail,
    "fail-again": _fail_again,
    "fail-condition": _fail_condition,
    "deployment": _deployment,
    "instances": _instances,
    "deployment-group": _deployment_group,
    "fault": _fault,
    "organization": _organization,
    "edit": _edit,
    "event": _event,
    "trail": _trail,
    "calls": _list_calls,
    "latency": _latency,
    "violations": _violations,
    "new-members": _new_members,
    "operations": _operations,
    "reset": _reset,
}


def wrap_app(original: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Answers the control requests in front of the ASGI application."""

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await original(scope, receive, send)
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        status, answer = _answer(scope["path"].removeprefix(PREFIX), body)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    return app


def _answer(name: str, body: bytes) -> tuple[int, dict[str, Any]]:
    if name not in _OPERATIONS:
        return 404, {"error": f"no control operation {name}: one of {', '.join(_OPERATIONS)}"}
    try:
        return 200, _OPERATIONS[name](json.loads(body or b"{}"))
    except KeyError as missing:
        return 400, {"error": f"{name}: member {missing} is missing"}
    except (ValueError, TypeError, AttributeError) as error:
        return 400, {"error": f"{name}: {error}"}


def wrap_dispatch(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Faults and the list of calls, around ministack's dispatch of a request to a service."""

    async def dispatch(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any], request_id: str
    ) -> Any:
        from ministack.app import _routing_params

        begin = time.monotonic()
        params = _routing_params(method, path, headers, body, query)
        name = router.detect_service(method, path, headers, params)
        action = iam_actions.extract_iam_action(name, method, path, headers, body, params) or f"{name}:"
        service, _, operation = action.partition(":")
        await asyncio.sleep(_latencies.get(get_account_id(), 0))
        fault = _next_fault(service, operation)
        if fault is None or fault["after"]:
            response = await original(method, path, headers, body, query, request_id)
        if fault is not None:
            _, content, text = iam_actions.access_denied_response(
                name, action, "", request_id, headers=headers, error_code=fault["code"], message=fault["message"]
            )
            response = fault["status"], content, text
        _calls.append(
            {
                "account": get_account_id(),
                "caller": iam_evaluator.caller_arn(),
                "service": service,
                "operation": operation,
                "status": response[0],
                "begin": begin,
                "end": time.monotonic(),
            }
        )
        cloudtrail.record(service, operation, path, params, body, response)
        return response

    return dispatch


def _next_fault(service: str, operation: str) -> dict[str, Any] | None:
    for fault in _faults:
        if (fault["service"], fault["operation"]) == (service, operation) and fault["account"] in (
            None,
            get_account_id(),
        ):
            if fault["skip"] > 0:
                fault["skip"] -= 1
                continue
            fault["times"] -= 1
            if fault["times"] <= 0:
                _faults.remove(fault)
            return fault
    return None
