"""The chain of retries that a render belongs to."""

from renders.models import Render

MOST = 50
LARGE = ("input_props", "errors", "artifacts", "options", "metadata")
"""Fields that are not loaded."""


def retry_chain(render: Render) -> list[Render]:
    """Return the first render of the chain, its retries, theirs and so on, the oldest first; at most ``MOST``.

    The others come without ``LARGE``. Only ``render`` itself if it was never repeated and repeats none.
    """
    rows = Render.objects.defer(*LARGE).select_related("refresh_state")
    found = {render.pk: render}
    earlier = render.retry_of_id
    while earlier and len(found) < MOST and (row := rows.filter(pk=earlier).first()):
        found[row.pk] = row
        earlier = row.retry_of_id
    newest = set(found)
    while newest and len(found) < MOST:
        retries = rows.filter(retry_of__in=newest).exclude(pk__in=found).order_by("created_at")[: MOST - len(found)]
        newest = {row.pk for row in retries}
        found |= {row.pk: row for row in retries}
    return sorted(found.values(), key=lambda row: (row.created_at, row.pk))
