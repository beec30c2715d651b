"""The metadata of renders, a row for each pair, so that renders are found by it."""

from collections.abc import Iterable
from typing import Any, Self

from django.conf import settings
from django.db import models

from renders.models.render import Render


class RenderMetadataQuerySet(models.QuerySet["RenderMetadata"]):
    def having(self, key: str, value: str, *, owner_id: Any) -> Self:
        """Pairs of one owner's renders; ``owner_id`` is None for renders without owner."""
        return self.filter(owner=owner_id, key=key, value=value)

    def store(self, renders: Iterable[Render]) -> None:
        """Insert the pairs of these renders, whose rows have just been inserted."""
        pairs = [
            RenderMetadata(render=render, owner_id=render.owner_id, key=key, value=value, created_at=render.created_at)
            for render in renders
            for key, value in render.metadata.items()
        ]
        if pairs:
            RenderMetadata.objects.bulk_create(pairs)


class RenderMetadata(models.Model):
    """One pair of ``Render.metadata``, beside what a list by it is filtered and ordered by."""

    render = models.ForeignKey(Render, on_delete=models.CASCADE, related_name="metadata_pairs")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,  # metadata_owner_pair_newest begins with it
    )
    key = models.CharField(max_length=40)
    value = models.CharField(max_length=500)
    created_at = models.DateTimeField(help_text="When the render was created.")

    objects = RenderMetadataQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["owner", "key", "value", "-created_at", "-render"],
                name="metadata_owner_pair_newest",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"
