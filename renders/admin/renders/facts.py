"""What support asks of a render first: whose, of what, how long, how large; and links to what belongs to it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from renders.admin.display import age, moment, seconds
from renders.admin.links import link_to, list_of, page_of, renders_where
from renders.models import Render, WebhookDelivery, WebhookMessage
from renders.remotion.console import cloudwatch_logs_url
from renders.services.outputs import sign_artifacts


class Fact(NamedTuple):
    """A fact, as plain text or a link; ``copied`` is what its button copies, if it has one."""

    name: str
    value: SafeString | str
    copied: str = ""


class Link(NamedTuple):
    """A link out of the page."""

    text: str
    address: str
    is_outside: bool = False


def facts_of(request: HttpRequest, render: Render) -> list[Fact]:
    """Return the facts that there are of this render."""
    return [fact for fact in _facts(request, render) if fact.value]


def _facts(request: HttpRequest, render: Render) -> Iterator[Fact]:
    yield Fact("Owner", _owner(request, render))
    yield Fact("Template", _template(request, render))
    yield Fact("Output", ", ".join(filter(None, _output(render))))
    yield Fact("Asked for", format_html("{}<br>{}", moment(render.created_at), age(render.created_at)))
    yield Fact("Waited", seconds(_waited(render)) if render.submitted_at else "")
    yield Fact("Took", seconds(render.render_time) if render.render_time is not None else "")
    yield Fact("Functions", f"{render.slots_needed:,} at once")
    if render.expires_at:
        yield Fact("Files kept until", moment(render.expires_at))
    if render.batch:
        yield Fact("Batch", link_to(request, render.batch, str(render.batch_id)))
    if render.poster_of_id:
        yield Fact("Poster of", format_html('<a href="{}">the video</a>', page_of(Render(pk=render.poster_of_id))))
    if render.poster:
        yield Fact(
            "Poster", format_html('<a href="{}">{}</a>', page_of(render.poster), render.poster.get_status_display())
        )
    yield Fact("Artifacts", _artifacts(render))
    yield Fact("External id", render.external_id, render.external_id)
    yield Fact("Metadata", ", ".join(f"{name}: {value}" for name, value in render.metadata.items()))
    yield Fact("Id", str(render.pk), str(render.pk))
    yield Fact("renderId", render.render_id, render.render_id)


def links_of(request: HttpRequest, render: Render) -> list[Link]:
    """Return links to the logs and files of a render, and to the webhooks about it."""
    received = list_of(request, WebhookDelivery, q=f"{render.pk} {render.render_id}".strip())
    sent = list_of(request, WebhookMessage, q=str(render.pk))
    ours = [Link("Webhooks from Remotion", received), Link("Webhooks sent", sent)]
    return [*_console_links(render), *(link for link in ours if link.address)]


def _console_links(render: Render) -> Iterator[Link]:
    if render.render_id:
        is_still = render.kind == Render.Kind.STILL
        if render.cloudwatch_logs:
            name = "Log of the function" if is_still else "Logs of the renderers"
            yield Link(f"{name} (CloudWatch)", render.cloudwatch_logs, is_outside=True)
        if not is_still:
            yield Link("Log of the main function (CloudWatch)", _main_log(render), is_outside=True)
        if render.folder_in_s3_console:
            yield Link("Folder (S3)", render.folder_in_s3_console, is_outside=True)


def _main_log(render: Render) -> str:
    place = {"region": render.region, "function_name": render.function_name, "render_id": render.render_id}
    return cloudwatch_logs_url(**place, method="launch")


def _owner(request: HttpRequest, render: Render) -> SafeString | str:
    if render.owner is None:
        return "nobody"
    name = link_to(request, render.owner, render.owner.get_username())
    theirs = renders_where(owner__id__exact=render.owner.pk)
    return format_html('{} · <a href="{}">their renders</a>', name, theirs)


def _template(request: HttpRequest, render: Render) -> SafeString | str:
    if render.template is None:
        return f"the default one ({render.composition})"
    version = f", version {render.template_version}" if render.template_version else ""
    others = renders_where(template__id__exact=render.template.pk)
    name = link_to(request, render.template, render.template.name)
    return format_html('{}{} · <a href="{}">its renders</a>', name, version, others)


def _output(render: Render) -> Iterator[str]:
    yield "Still" if render.kind == Render.Kind.STILL else ""
    yield seconds(render.duration) if render.duration is not None else ""
    yield f"{render.width}×{render.height}" if render.width and render.height else ""
    yield f"{render.fps:g}\N{NO-BREAK SPACE}fps" if render.duration is not None and render.fps else ""
    yield render.codec or render.extension
    yield filesizeformat(render.output_size) if render.output_size else ""


def _waited(render: Render) -> float | None:
    return (render.submitted_at - render.created_at).total_seconds() if render.submitted_at else None


def _artifacts(render: Render) -> SafeString | str:
    return format_html_join(
        "", "{} ({})<br>", ((_file(file), filesizeformat(file["size"])) for file in sign_artifacts(render))
    )


def _file(file: dict[str, Any]) -> SafeString | str:
    """Return the name of an artifact as a link to it; without the link once its file has been deleted."""
    return format_html('<a href="{}">{}</a>', file["url"], file["name"]) if file["url"] else file["name"]
