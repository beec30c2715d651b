"""Keys with which programs use the API."""

from django.db import models
from knox.models import AbstractAuthToken


class Scope(models.TextChoices):
    """What a key may be limited to. Without scopes it may do whatever its user may do."""

    RENDERS_READ = "renders:read", "Read renders, batches, events, usage and the account"
    RENDERS_WRITE = "renders:write", "Start, cancel, retry and delete renders and batches"
    TEMPLATES_READ = "templates:read", "Read templates"
    WEBHOOKS_WRITE = "webhooks:write", "Read and change webhook endpoints and their deliveries"


class ApiKey(AbstractAuthToken):
    """One key of a user, of which only a hash is stored. Knox makes and checks it.

    https://jazzband.github.io/django-rest-knox/
    """

    name = models.CharField(max_length=100, help_text="What the key is for.")
    scopes = models.JSONField(default=list, blank=True, help_text="Empty: whatever the user may do.")
    requests_per_minute: int | None
    """The limit of the user's quota: an annotation of the key with which a request came."""
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="Written at most once a minute.")

    class Meta:
        ordering = ["-created"]
        verbose_name = "API key"
        verbose_name_plural = "API keys"

    def __str__(self) -> str:
        return f"{self.name} ({self.token_key}…)"
