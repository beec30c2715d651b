"""The list of renders by its filters: which go together, and the query that an index answers."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db.models import Q
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from renders.api.auth import VIEW
from renders.api.owner import Owner, chosen_owner, own
from renders.api.pagination import NewestFirstPagination
from renders.models import Batch, MergedQuery, Render, RenderMetadata, RenderQuerySet, Scan
from renders.services.json_schema.values import listed
from renders.services.templates.lookup import find_template

CREATED = ("createdAfter", "createdBefore")
FINISHED = ("finishedAfter", "finishedBefore")
RANGES = {
    "createdAfter": "created_at__gte",
    "createdBefore": "created_at__lt",
    "finishedAfter": "finished_at__gte",
    "finishedBefore": "finished_at__lt",
}


class Served(NamedTuple):
    """Filters that an index serves together; ``owner`` goes with all of them."""

    name: str
    """The filter that chooses the index; empty: none."""
    ranges: tuple[str, ...] = CREATED
    also: tuple[str, ...] = ()
    """Further filters, which are checked row by row, where the index leaves few."""
    needs_owner: bool = False


SERVED = (
    Served(""),
    Served("", ranges=FINISHED),
    Served("status"),
    Served("template"),
    Served("kind", needs_owner=True),
    Served("metadata", needs_owner=True),
    Served("externalId"),
    Served("stalled"),
    Served("batch", also=("status", "template", "kind", "externalId")),
)
FILTERS = tuple(served.name for served in SERVED if served.name)
ROWS = Render.objects.select_related("owner", "refresh_state", "template").defer("input_props", "errors", "artifacts")

ALONE = f"one of {', '.join(FILTERS)}"
INSTEAD = (
    f"Send {ALONE}, with {listed(CREATED, last=' and')} if you want; or {listed(FINISHED, last=' and')} alone;"
    f" or batch with {', '.join(SERVED[-1].also)}."
)
SEND_OWNER = "No index serves {name} over all owners: send owner too."


class RenderPagination(NewestFirstPagination):
    """Newest first; by their end, the last first, where the list is limited to when renders ended."""

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:
        return ("-finished_at", "-id") if _is_by_end(view.query) else self.ordering


def renders_of_list(view: Any, request: Request) -> "RenderQuerySet | MergedQuery[Render]":
    """Return the renders that the query asks for, of those that the user may see.

    Raise ValidationError for filters that no index serves together, PermissionDenied for the owner.
    """
    query = view.query
    owner = _owner(view, request)
    require_served(query, of_one_owner=owner is not None)
    if "batch" in query:
        return _of_batch(query, owner)
    if "metadata" in query and owner:
        pairs = RenderMetadata.objects.having(*query["metadata"], owner_id=owner.pk).filter(_ranges(query))
        return MergedQuery(ROWS.all(), [Scan(pairs, "render_id")])
    renders = _by_index(ROWS.filter(owner=owner.pk) if owner else ROWS.all(), query).filter(_ranges(query))
    statuses = query.get("status", ())
    if len(statuses) < 2:
        return renders.with_status(*statuses) if statuses else renders
    return MergedQuery(ROWS.all(), [Scan(renders.with_status(status)) for status in statuses])


def require_served(query: Mapping[str, Any], *, of_one_owner: bool) -> None:
    """Raise ValidationError unless an index serves these filters together."""
    filters = [name for name in FILTERS if name in query]
    ranges = [name for name in RANGES if name in query]
    for served in SERVED:
        if _serves(served, filters, ranges):
            if served.needs_owner and not of_one_owner:
                raise ValidationError({"owner": [SEND_OWNER.format(name=served.name)]})
            return
    sent = [*filters, *ranges]
    raise ValidationError({sent[-1]: [f"No index serves {listed(sent, last=' and')} together. {INSTEAD}"]})


def _serves(served: Served, filters: list[str], ranges: list[str]) -> bool:
    if not set(ranges) <= set(served.ranges):
        return False
    return served.name in filters and set(filters) <= {served.name, *served.also} if served.name else not filters


def _owner(view: Any, request: Request) -> Owner | None:
    """Return whose renders are listed; None means everybody's."""
    if "owner" in view.query:
        return chosen_owner(view, request, view.query["owner"])
    return None if request.user.has_perm(VIEW) else own(request)


def _by_index(renders: RenderQuerySet, query: Mapping[str, Any]) -> RenderQuerySet:
    if "template" in query:
        return renders.of_template(find_template(query["template"]))
    if "kind" in query:
        return renders.filter(kind=query["kind"])
    if "externalId" in query:
        return renders.named(query["externalId"])
    if "stalled" in query:
        return renders.stalled()
    return renders.finished() if _is_by_end(query) else renders


def _of_batch(query: Mapping[str, Any], owner: Owner | None) -> RenderQuerySet:
    """Return the renders of a batch. They all have its owner, so only the batch is asked for its owner.

    The other filters state no condition of a partial index: the one of the batches leaves 500 rows at most.
    """
    batches = Batch.objects.filter(pk=query["batch"])
    if not (batches.filter(owner=owner.pk) if owner else batches).exists():
        return ROWS.none()
    renders = ROWS.of_batch(query["batch"]).filter(_ranges(query))
    if "status" in query:
        renders = renders.filter(status__in=query["status"])
    if "template" in query:
        renders = renders.filter(template=find_template(query["template"]))
    own_columns = {"kind": "kind", "externalId": "external_id"}
    return renders.filter(**{column: query[name] for name, column in own_columns.items() if name in query})


def _ranges(query: Mapping[str, Any]) -> Q:
    return Q(**{lookup: query[name] for name, lookup in RANGES.items() if name in query})


def _is_by_end(query: Mapping[str, Any]) -> bool:
    return any(name in query for name in FINISHED)
