"""Loading rows without what ``Model.__init__`` adds: a third of a refresh's time is spent there (measured)."""

from collections.abc import Collection, Sequence
from typing import Any, Self

from django.db import models
from django.db.models.base import ModelState


class PlainLoading(models.Model):
    """A model whose rows are loaded straight into their attributes; the signals pre_init and post_init are not sent.

    https://docs.djangoproject.com/en/5.2/ref/models/instances/#customizing-model-loading
    """

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Sequence[Any]) -> Self:  # type: ignore[override]
        """Return a row; a field that was not loaded is fetched when it is read, as with ``only()``."""
        row = cls.__new__(cls)
        row._state = ModelState()
        row._state.db, row._state.adding = db, False
        row.__dict__.update(zip(field_names, values, strict=True))
        return row
