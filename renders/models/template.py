"""What a request may ask to have rendered, under a name: a composition with its defaults and limits."""

from typing import Any

from django.db import models, transaction


class Template(models.Model):
    """A composition of a site. Staff decide what is rendered; a request only names it."""

    class Length(models.TextChoices):
        FIXED = "fixed", "Fixed: the number of frames below"
        INPUT_PROPS = "input_props", "Given by inputProps.durationInFrames"
        UNKNOWN = "unknown", "Unknown until it is rendered: calculateMetadata decides"

    VERSIONED = (
        "site",
        "composition",
        "default_input_props",
        "input_schema",
        "default_options",
        "allowed_options",
        "length",
        "duration_in_frames",
        "fps",
        "width",
        "height",
    )
    """Fields that decide what is rendered: a change of one raises the version."""

    name = models.SlugField(max_length=100, unique=True, help_text="What a request says.")
    title = models.CharField(max_length=255, blank=True, default="")
    site = models.TextField(
        blank=True, default="", help_text="Site name or URL; empty: the site that the settings name."
    )
    composition = models.CharField(max_length=255, help_text="The composition's id in Remotion.")
    default_input_props = models.JSONField(
        default=dict, blank=True, help_text="Used where a request leaves a prop out."
    )
    input_schema = models.JSONField(
        null=True, blank=True, help_text="JSON Schema (draft 2020-12) of the input props; empty: any object."
    )
    input_schema_is_draft = models.BooleanField(
        default=False, help_text="Drafted from the default input props and not confirmed yet: it refuses nothing."
    )
    default_options = models.JSONField(default=dict, blank=True, help_text="Used where a request leaves an option out.")
    allowed_options = models.JSONField(
        null=True, blank=True, help_text="Names of the options that a request may set; empty: all, [] none."
    )
    length = models.CharField(max_length=16, choices=Length, default=Length.UNKNOWN)
    duration_in_frames = models.PositiveIntegerField(
        null=True, blank=True, help_text="The length if it is fixed; else that with the default input props."
    )
    fps = models.FloatField(null=True, blank=True, help_text="Frames a second, as the site says.")
    width = models.PositiveIntegerField(null=True, blank=True, help_text="Pixels, as the site says.")
    height = models.PositiveIntegerField(null=True, blank=True, help_text="Pixels, as the site says.")
    reuse = models.BooleanField(
        default=False, help_text="Answer with an earlier render of the same input where a request does not say."
    )
    enabled = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    synced = models.JSONField(
        default=dict,
        editable=False,
        help_text="Fingerprints of the values that the last sync wrote, by field: any other value was set by hand.",
    )
    missing_since = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When a sync no longer found the composition, and disabled the template; empty: it did not.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, with the next version if a field of ``VERSIONED`` differs from what is stored."""
        with transaction.atomic():
            stored = Template.objects.select_for_update(no_key=True).filter(pk=self.pk).first() if self.pk else None
            if stored and any(getattr(stored, name) != getattr(self, name) for name in self.VERSIONED):
                self.version = stored.version + 1
                if (names := kwargs.get("update_fields")) is not None:
                    kwargs["update_fields"] = {*names, "version"}
            super().save(*args, **kwargs)
