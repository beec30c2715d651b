"""For each address and method of the API: what its owner is answered, and what everybody else."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from renders.api.actions import actions_by_method
from renders.api.urls import urlpatterns
from tests.api.owned_rows import NAME
from tests.factories import BODY, BUCKET

Key = tuple[str, str]


@dataclass(frozen=True)
class Case:
    """A request, and its status for the owner of what it is about and for everybody else."""

    own: int
    other: int = 404
    at: tuple[str, ...] = ()
    """What fills the address: names in ``Things``."""
    query: str = ""
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_repeated: bool = False
    """Whether the owner has sent it before."""
    is_told: bool = True
    """Whether the owner is answered with a text of theirs."""

    def __str__(self) -> str:
        return " ".join([*self.at, self.query]) or "-"


def for_all(own: int = 200, **fields: Any) -> Case:
    """Return a request that is answered everybody alike."""
    return Case(own, own, is_told=False, **fields)


def listed(*queries: str) -> list[Case]:
    """Return requests for lists: everybody gets their own."""
    return [Case(200, 200, query=query) for query in queries]


def at_endpoint(own: int = 200, *, is_told: bool = True, body: Any = None, also: tuple[str, ...] = ()) -> list[Case]:
    return [Case(own, at=("endpoint", *also), body=body, is_told=is_told)]


OF_OWNER = Case(200, 403, query=f"owner={NAME}")
REPEATED = {"Idempotency-Key": "order-1"}
UNIQUE = {**BODY, "externalId": "order-1", "uniqueExternalId": True}
LISTS = ("", "status=rendering,failed", "batch={batch}", f"metadata=shop:{NAME}-shop", "externalId=order-1",
         "kind=video", "stalled=true", "createdAfter=2020-01-01T00:00:00Z", "finishedAfter=2020-01-01T00:00:00Z",
         "template=promo")  # fmt: skip

CASES: dict[Key, list[Case]] = {
    ("lambda-render", "POST"): [Case(409, 200, body=BODY, headers=REPEATED, is_told=False)],
    ("lambda-progress", "POST"): [
        Case(200, body={"id": "{rendering}"}, is_told=False),
        Case(200, body={"id": f"{NAME}-remote", "bucketName": BUCKET}, is_told=False),
    ],
    ("lambda-webhook", "POST"): [for_all(401, body={})],
    ("options", "GET"): [for_all()],
    ("openapi", "GET"): [for_all()],
    ("swagger", "GET"): [for_all()],
    ("redoc", "GET"): [for_all()],
    ("events", "GET"): listed("lastEventId=0", "lastEventId=0&types=render.succeeded,render.failed"),
    ("render-events", "GET"): [
        Case(200, at=("rendering",)),
        Case(200, at=("succeeded",)),
        Case(204, at=("succeeded",), query="lastEventId=99999999", is_told=False),
    ],
    ("usage", "GET"): [
        *listed("groupBy=owner", "groupBy=template", "groupBy=owner&format=csv"),
        for_all(query="groupBy=region"),
        for_all(query="groupBy=day"),
        Case(200, 403, query=f"owner={NAME}&groupBy=owner"),
    ],
    ("account", "GET"): listed(""),
    ("render-list", "GET"): [*listed(*LISTS), OF_OWNER],
    ("render-list", "POST"): [
        Case(409, 201, body=BODY, headers=REPEATED, is_told=False),
        Case(409, 201, body=UNIQUE, is_told=False),
        Case(200, 201, body={**BODY, "reuse": True}, is_repeated=True),
    ],
    ("render-detail", "GET"): [
        Case(200, at=("rendering",)),
        Case(200, at=("rendering",), query="wait=5", is_told=False),
    ],
    ("render-detail", "DELETE"): [Case(204, at=("failed",), is_told=False)],
    ("render-cancel", "POST"): [Case(200, at=("queued",))],
    ("render-download", "GET"): [Case(302, at=("succeeded",)), Case(200, at=("succeeded",), query="json")],
    ("render-refresh", "POST"): [Case(200, at=("rendering",))],
    ("render-retry", "POST"): [Case(201, at=("failed",))],
    ("batch-list", "GET"): [*listed(""), OF_OWNER],
    ("batch-list", "POST"): [
        Case(409, 202, body={"renders": [BODY]}, headers=REPEATED, is_told=False),
        Case(202, 202, body={"renders": [UNIQUE]}, is_told=False),
        Case(202, 202, body={"renders": [{**BODY, "reuse": True}]}, is_repeated=True, is_told=False),
    ],
    ("batch-detail", "GET"): [Case(200, at=("batch",))],
    ("batch-cancel", "POST"): [Case(202, at=("batch",))],
    ("key-list", "GET"): listed(""),
    ("key-detail", "DELETE"): [Case(204, at=("key",), is_told=False)],
    ("webhook-endpoint-list", "GET"): listed(""),
    ("webhook-endpoint-list", "POST"): [for_all(201, body={"url": "https://example.com/"})],
    ("webhook-endpoint-detail", "GET"): at_endpoint(),
    ("webhook-endpoint-detail", "PATCH"): at_endpoint(body={"enabled": False}),
    ("webhook-endpoint-detail", "DELETE"): at_endpoint(204, is_told=False),
    ("webhook-endpoint-message", "GET"): at_endpoint(also=("message",)),
    ("webhook-endpoint-messages", "GET"): at_endpoint(),
    ("webhook-endpoint-ping", "POST"): at_endpoint(202),
    ("webhook-endpoint-replay", "POST"): at_endpoint(202, also=("message",)),
    ("webhook-endpoint-replay-failed", "POST"): at_endpoint(
        202, body={"since": "2020-01-01T00:00:00Z"}, is_told=False
    ),
    ("webhook-endpoint-rotate-secret", "POST"): at_endpoint(),
    ("webhook-endpoint-secret", "GET"): at_endpoint(),
    ("template-list", "GET"): [for_all()],
    ("template-list", "POST"): [for_all(403, body={"name": "new"})],
    ("template-detail", "GET"): [for_all(at=("template",))],
    ("template-detail", "PATCH"): [for_all(403, at=("template",), body={"enabled": False})],
}  # fmt: skip
SIGN_IN_FIRST = ("key-", "webhook-endpoint-")
"""What nobody has without a user, also where anonymous users may render."""


def requests_of_router() -> Iterator[Key]:
    """Yield the name of each address with each of its methods."""
    patterns: list[Any] = urlpatterns
    for pattern in patterns:
        callback = pattern.callback
        view = callback.cls()
        view.action_map = getattr(callback, "actions", None)
        for method in actions_by_method(view):
            yield str(pattern.name), method


REQUESTS = [(key, case) for key in requests_of_router() for case in CASES.get(key, [None])]
IDS = [f"{method} {name} {case}" for (name, method), case in REQUESTS]
