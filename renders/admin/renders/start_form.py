"""The form of what is asked for besides input props and options: kind, frame, owner, place in the queue, marks."""

import re
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.auth import get_user_model
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from renders.admin.renders.props_fields import OMITTED, JsonField
from renders.models import Render, Template
from renders.remotion.option_values import normalised
from renders.services.own_fields import MAX_EXTERNAL_ID, metadata_problem
from renders.services.templates.default import MAX_VIDEO_SECONDS
from renders.services.webhooks.urls import url_problem

MIN_PRIORITY, MAX_PRIORITY = -50, 50
MAX_FRAME = 100_000_000
PRIORITY = "renders.start_render_with_priority"
VIEW_USERS = "auth.view_user"

OWNER_ID = re.compile(r"\d{1,9}", re.ASCII)
POSTER_FRAME, POSTER_SECONDS = re.compile(r"-?\d{1,9}"), re.compile(r"(\d{1,6}(?:\.\d{1,6})?) ?s")
NO_FRAME = "Send the number of a frame: 0 is the first, -1 the last."
NO_POSTER = "Send a frame such as 30, or a time such as 1.5 s."
NO_PRIORITY = f"You need the permission {PRIORITY} for a priority over 0."
CHANGED = "The template has changed since this page was opened: look at the input again, then press the button again."


class OwnerSelect(AutocompleteSelect):
    """Fetches the users that are typed for. What is no user's id shows none: Django's widget would fail."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        return super().optgroups(name, [text for text in value if OWNER_ID.fullmatch(str(text))], attr)


class StartForm(forms.Form):
    """What a render is, and whose."""

    key = forms.CharField(required=False, widget=forms.HiddenInput)
    template_version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    kind = forms.ChoiceField(choices=Render.Kind.choices, widget=UnfoldAdminSelectWidget(), label="Kind")
    frame = forms.IntegerField(
        required=False,
        min_value=-MAX_FRAME,
        max_value=MAX_FRAME,
        label="Frame",
        help_text="Which frame becomes the picture: 0 is the first, -1 the last. Empty: 0.",
        widget=UnfoldAdminIntegerFieldWidget(attrs={"data-kinds": "still", "class": "start-number"}),
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), NO_FRAME),
    )
    poster = forms.CharField(
        required=False,
        label="Poster",
        help_text="Which frame also becomes a picture, when the video is there: 30, or 1.5 s. Empty: none.",
        widget=UnfoldAdminTextInputWidget(attrs={"data-kinds": "video", "class": "start-number"}),
    )
    owner = forms.ModelChoiceField(
        queryset=get_user_model().objects.filter(is_active=True),
        required=False,
        label="Owner",
        help_text="Whose render it is: their quota, their usage, their webhooks. Empty: yours.",
        error_messages={"invalid_choice": "There is no active user of this id."},
    )
    priority = forms.IntegerField(
        required=False,
        min_value=MIN_PRIORITY,
        max_value=MAX_PRIORITY,
        label="Priority",
        help_text=f"{MIN_PRIORITY} to {MAX_PRIORITY}; a higher one starts sooner. Empty: 0.",
        widget=UnfoldAdminIntegerFieldWidget(attrs={"class": "start-number"}),
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"), f"Send a whole number from {MIN_PRIORITY} to {MAX_PRIORITY}."
        ),
    )
    external_id = forms.CharField(
        required=False,
        max_length=MAX_EXTERNAL_ID,
        strip=False,
        label="External id",
        help_text="The render's name in its owner's system.",
        widget=UnfoldAdminTextInputWidget(),
    )
    metadata = JsonField(
        rows=3, label="Metadata", help_text='Pairs of strings by which renders are found, such as {"shop": "berlin"}.'
    )
    webhook_url = forms.CharField(
        required=False,
        label="Webhook URL",
        help_text="Where the end of this render is posted, besides the owner's endpoints.",
        widget=UnfoldAdminTextInputWidget(),
    )
    reuse = forms.BooleanField(
        required=False,
        label="Reuse an earlier render",
        help_text="Show an earlier render of the same, if there is one, instead of paying for a new one.",
        widget=UnfoldBooleanWidget(),
    )

    def __init__(self, *args: Any, user: Any, template: Template | None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._user, self._template = user, template
        if user.has_perm(VIEW_USERS):
            self.fields["owner"].widget = OwnerSelect(Render._meta.get_field("owner"), admin.site)
            self.fields["owner"].widget.choices = self.fields["owner"].choices  # type: ignore[attr-defined]
            self.fields["owner"].widget.is_required = False
        else:
            del self.fields["owner"]

    def clean_poster(self) -> dict[str, float] | None:
        text = self.cleaned_data["poster"].strip()
        if not text:
            return None
        if POSTER_FRAME.fullmatch(text) and abs(int(text)) <= MAX_FRAME:
            return {"frame": int(text)}
        if (seconds := POSTER_SECONDS.fullmatch(text)) and float(seconds[1]) <= MAX_VIDEO_SECONDS:
            return {"seconds": normalised(float(seconds[1]))}
        raise forms.ValidationError(NO_POSTER)

    def clean_priority(self) -> int | None:
        priority: int | None = self.cleaned_data["priority"]
        if priority and priority > 0 and not self._user.has_perm(PRIORITY):
            raise forms.ValidationError(NO_PRIORITY)
        return priority

    def clean_metadata(self) -> dict[str, str]:
        value = self.cleaned_data["metadata"]
        if value is OMITTED:
            return {}
        if problem := metadata_problem(value):
            raise forms.ValidationError(problem)
        return value

    def clean_webhook_url(self) -> str:
        url: str = self.cleaned_data["webhook_url"]
        if url and (problem := url_problem(url)):
            raise forms.ValidationError(problem)
        return url

    def clean(self) -> None:
        kind = self.cleaned_data.get("kind", "")
        other = {"still": "poster", "video": "frame"}.get(kind)
        if other and self.cleaned_data.get(other) is not None:
            self.add_error(other, f"A {kind} has no {other}: leave it out.")
        opened = self.cleaned_data.get("template_version")
        if self._template and opened is not None and opened != self._template.version:
            self.add_error(None, CHANGED)

    @property
    def render_owner(self) -> Any:
        """The owner of the render: the one who was chosen, or the person signed in."""
        return self.cleaned_data.get("owner") or self._user

    def asked(self) -> dict[str, Any]:
        """Return what the form says, as ``RenderRequest`` names it."""
        said = self.cleaned_data
        asked = {name: said[name] for name in ("kind", "poster", "reuse", "metadata", "external_id", "webhook_url")}
        is_still = said["kind"] == Render.Kind.STILL
        return {**asked, "frame": (said["frame"] or 0) if is_still else None}
