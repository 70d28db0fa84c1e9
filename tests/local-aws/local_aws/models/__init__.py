"""Every request and every answer, checked against AWS's own service models.

A request that AWS would refuse is refused, and it is a violation, as is an answer that no SDK would understand.
Violations are kept until the test whose account it was takes them: it fails, unless it takes them itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.core import iam_actions, iam_evaluator, router
from ministack.core.responses import get_account_id

from .answers import check_answer
from .catalogue import Found, NoSuchOperation, Request, find, model, plain_query, service_of
from .constraints import Problems
from .requests import check_request

VIOLATIONS: list[dict[str, str]] = []
# (service, operation) -> how often it was seen
SEEN: Counter[tuple[str, str]] = Counter()
# account -> (service, member) that AWS is taken to have got since the models were published
NEW_MEMBERS: dict[str, set[tuple[str, str]]] = {}
# What ministack answers where AWS would leave the member out: none of ours, and no SDK minds it.
_MINISTACKS_OWN = {
    ("ecs", "pidMode"),
    ("ecs", "ipcMode"),
    ("lambda", "StateReasonCode"),
    ("lambda", "LastUpdateStatusReasonCode"),
}

Dispatch = Callable[..., Awaitable[Any]]


def wrap_dispatch(original: Dispatch) -> Dispatch:
    """Checks in front of everything else that dispatch does, and what it answers."""

    async def dispatch(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any], request_id: str
    ) -> Any:
        request = Request(method, path, headers, plain_query(query), body)
        service = service_of(request)
        if service is None:
            # Not signed: a link that SNS sent, an address that a function answers to.
            return await original(method, path, headers, body, query, request_id)
        found, problems = _check(service, request)
        operation = found.operation.name if found else _named(request)
        if problems.found:
            _keep("request", service, operation, problems)
            return _refusal(service, operation, request, request_id, problems)
        SEEN[(service, operation)] += 1
        response = await original(method, path, headers, body, query, request_id)
        if found is not None:
            answered = _problems(service)
            check_answer(found.operation.service_model, found.operation, request, response, answered)
            _keep("answer", service, operation, answered)
        return response

    return dispatch


def _check(service: str, request: Request) -> tuple[Found | None, Problems]:
    problems, known = _problems(service), model(service)
    if known is None:
        problems.add("", f"no service model {service!r}")
        return None, problems
    try:
        found = find(known, request)
    except NoSuchOperation as error:
        problems.add("", str(error))
        return None, problems
    check_request(known, found, request, problems)
    return found, problems


def _problems(service: str) -> Problems:
    known = NEW_MEMBERS.get(get_account_id(), set())
    return Problems(frozenset(member for of, member in known if of == service))


def _named(request: Request) -> str:
    return request.headers.get("x-amz-target") or request.form().get("Action") or f"{request.method} {request.path}"


def _keep(side: str, service: str, operation: str, problems: Problems) -> None:
    for member, message in problems.found:
        if side == "answer" and (service, member.rpartition(".")[2]) in _MINISTACKS_OWN:
            continue
        VIOLATIONS.append(
            {
                "account": get_account_id(),
                "caller": iam_evaluator.caller_arn(),
                "side": side,
                "service": service,
                "operation": operation,
                "member": member,
                "message": message,
            }
        )


def _refusal(service: str, operation: str, request: Request, request_id: str, problems: Problems) -> Any:
    """The error that AWS would answer, in the service's own form, with every member that is wrong."""
    count = len(problems.found)
    listed = "; ".join(f"'{member}' of {service}:{operation}: {message}" for member, message in problems.found)
    name = router.detect_service(request.method, request.path, request.headers, request.query)
    status, headers, body = iam_actions.access_denied_response(
        name,
        f"{service}:{operation}",
        "",
        request_id,
        headers=request.headers,
        error_code="ValidationError" if service in ("iam", "sts", "cloudformation") else "ValidationException",
        message=f"{count} validation error{'s' if count > 1 else ''} detected: {listed}",
    )
    return 400, headers, body


def take_violations(account: str | None) -> list[dict[str, str]]:
    """The violations of an account, or all; they are forgotten with that."""
    taken = [one for one in VIOLATIONS if account in (None, one["account"])]
    VIOLATIONS[:] = [one for one in VIOLATIONS if one not in taken]
    return taken


def operations_seen() -> dict[str, dict[str, int]]:
    seen: dict[str, dict[str, int]] = {}
    for (service, operation), count in sorted(SEEN.items()):
        seen.setdefault(service, {})[operation] = count
    return seen
