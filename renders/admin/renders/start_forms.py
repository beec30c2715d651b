"""The forms of the page that starts a render, together: what they begin with, and the request that they make."""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.http import QueryDict

from renders.admin.renders.options_form import OptionsForm, own_options
from renders.admin.renders.props_fields import as_text
from renders.admin.renders.props_form import WHOLE, PropsForm
from renders.admin.renders.start_form import StartForm
from renders.models import Render, Template
from renders.remotion.errors import InvalidOptions, RemotionError
from renders.remotion.options import combine_options
from renders.services.dry_run import DryRun, dry_run
from renders.services.errors import InvalidRequest, PriorityTooHigh, Refused
from renders.services.render_request import RenderRequest
from renders.services.templates import merge_options, resolve, validate_input_props
from renders.services.templates.default import default_input_schema, validate_default_input_props

FOLDED = ("priority", "external_id", "metadata", "webhook_url", "reuse")
KEY = re.compile(r"[0-9a-f]{32}")
NO_FIELDS = "The fields cannot show these values: edit them as JSON."


@dataclass(frozen=True)
class Source:
    """What the form begins with: a template, or the default one (None), and the render that is repeated, if any."""

    template: Template | None = None
    repeated: Render | None = None

    @property
    def schema(self) -> dict[str, Any] | None:
        """JSON Schema of the input props; None where the template has none."""
        return self.template.input_schema if self.template else default_input_schema()

    @property
    def input_props(self) -> dict[str, Any]:
        defaults = self.template.default_input_props if self.template else {}
        return {**defaults, **(self.repeated.input_props if self.repeated else {})}

    @property
    def options(self) -> dict[str, Any]:
        return own_options(self.template, self.repeated.options) if self.repeated else {}

    @property
    def fields(self) -> dict[str, Any]:
        """Initial values of the other fields."""
        version = self.template.version if self.template else 0
        if (render := self.repeated) is None:
            is_still = self.template is not None and self.template.duration_in_frames == 1
            kind = Render.Kind.STILL if is_still else Render.Kind.VIDEO
            reuse = self.template is not None and self.template.reuse
            return {"kind": kind, "reuse": reuse, "template_version": version}
        return {
            "kind": render.kind,
            "frame": render.frame,
            "poster": _poster_text(render.poster_request),
            "priority": render.priority or None,
            "external_id": render.external_id,
            "metadata": as_text(render.metadata) if render.metadata else "",
            "webhook_url": render.webhook_url,
            "owner": render.owner_id,
            "template_version": version,
        }


class StartForms:
    """The three forms of the page as one: they are valid, or not, together."""

    def __init__(self, source: Source, *, user: Any, data: QueryDict | None = None, as_json: bool = False) -> None:
        self.source = source
        template = source.template
        initial = {**source.fields, "key": uuid.uuid4().hex}
        if source.repeated is None or source.repeated.owner_id is None:
            initial["owner"] = user.pk
        self.start = StartForm(data, user=user, template=template, initial=initial)
        self.props = PropsForm(data, schema=source.schema, values=source.input_props, as_json=as_json)
        self.options = OptionsForm(data, template=template, values=source.options)
        self.request: RenderRequest | None = None
        """What is asked for, once the forms are valid."""

    @property
    def key(self) -> str:
        """The key by which this form is recognised when it is sent again."""
        sent = self.start["key"].value() or ""
        return sent if KEY.fullmatch(sent) else uuid.uuid4().hex

    def show_as_json(self) -> None:
        """Show the input props as JSON, unchecked."""
        self.props = PropsForm(schema=self.source.schema, values=self.props.props(), as_json=True)

    def show_as_fields(self) -> None:
        """Show the input props, which were sent as JSON, as fields; say why if there are none for these values."""
        if not self.props.is_json:
            return
        defaults = self.source.template.default_input_props if self.source.template else {}
        values = {**defaults, **self.props.props()}
        data = PropsForm(schema=self.source.schema, values=values).shown_data()
        # As the next request makes it.
        form = PropsForm(data, schema=self.source.schema, values=self.source.input_props)
        if not form.errors and {**defaults, **form.props()} == values:
            self.props = form
        else:
            self.props.add_error(WHOLE, NO_FIELDS)

    @property
    def has_errors(self) -> bool:
        return bool(self.errors)

    @property
    def has_queue_values(self) -> bool:
        """Whether one of the folded fields says something, or is wrong."""
        return any(self.start[name].value() or self.start[name].errors for name in FOLDED)

    @property
    def errors(self) -> list[tuple[str, str, str]]:
        """All errors: the label of the field, its id in the page, and the sentence."""
        found = []
        for form in (self.start, self.props, self.options):
            for name, sentences in form.errors.items():
                bound = form[name] if name in form.fields else None
                label, place = (str(bound.label), bound.id_for_label or "") if bound else ("", "")
                found += [(label, place, str(sentence)) for sentence in sentences]
        return found

    def check(self) -> DryRun | None:
        """Return what the request would do; None if it cannot be made. Errors are shown beside their fields."""
        self.request = self._make_request()
        if self.request is None:
            return None
        priority = self.start.cleaned_data["priority"]
        result = self._guarded(
            lambda request: dry_run(owner=self.start.render_owner, request=request, may_wait=True, priority=priority),
            self.request,
        )
        for name, sentences in (result.errors if result else {}).items():
            for sentence in sentences:
                self.start.add_error(name if name in self.start.fields else None, sentence)
        return result

    def refuse(self, err: Exception) -> None:
        """Show why the request was refused, beside the field at fault if there is one."""
        if isinstance(err, InvalidOptions):
            self.options.add_option_errors(err.errors)
        elif isinstance(err, InvalidRequest):
            of_props = {path: text for path, text in err.errors.items() if path.startswith("inputProps")}
            self.props.add_prop_errors(of_props)
            for name, text in err.errors.items():
                if name not in of_props:
                    self.start.add_error(name if name in self.start.fields else None, text)
        else:
            self.start.add_error("priority" if isinstance(err, PriorityTooHigh) else None, str(err))

    def _make_request(self) -> RenderRequest | None:
        """Return what is asked for; None if something is wrong. What can be checked is, so that all is told at once."""
        if self.has_errors:
            self._check_what_was_read()
            return None
        asked, template = self.start.asked(), self.source.template
        props, options = self.props.props(), self.options.sent()
        if template:
            self._guarded(resolve, template.name)
        made_props = self._guarded(self._make_props, props)
        made_options = self._guarded(partial(self._make_options, kind=asked["kind"]), options)
        if self.has_errors or made_props is None or made_options is None:
            return None
        sent = {**asked, "template": template.name if template else "", "inputProps": props, "options": options,
                "priority": self.start.cleaned_data["priority"]}  # fmt: skip
        return RenderRequest(template=template, input_props=made_props, options=made_options, sent=sent, **asked)

    def _check_what_was_read(self) -> None:
        """Check the input props and options of the fields that could be read."""
        self._guarded(self._make_props, self.props.props())
        if kind := self.start.cleaned_data.get("kind"):
            self._guarded(partial(self._make_options, kind=kind), self.options.sent())

    def _make_props(self, sent: dict[str, Any]) -> dict[str, Any]:
        template = self.source.template
        return validate_input_props(template, sent) if template else validate_default_input_props(sent)

    def _make_options(self, sent: dict[str, Any], *, kind: str) -> dict[str, Any]:
        template = self.source.template
        return merge_options(template, sent, kind=kind) if template else combine_options({}, sent, kind=kind)

    def _guarded(self, use_case: Callable[[Any], Any], argument: Any) -> Any:
        """Return what the use case returns; None if it refuses, and show why."""
        try:
            return use_case(argument)
        except (InvalidOptions, Refused, RemotionError) as err:
            self.refuse(err)
            return None


def _poster_text(poster: Mapping[str, float] | None) -> str:
    if not poster:
        return ""
    return str(poster["frame"]) if "frame" in poster else f"{poster['seconds']:g} s"
