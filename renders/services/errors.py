"""Why a use case was refused or failed. ``str()`` of each is one sentence that a person can act on."""

from collections.abc import Mapping
from uuid import UUID

from renders.models import Render
from renders.remotion.errors import RemotionError


class Refused(Exception):
    """What was asked for is not possible now. Nothing has changed."""


class InvalidRequest(Refused):
    """Fields of a request do not fit its template or each other."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        """One sentence for each field, by its JSON path."""
        super().__init__(" ".join(f"{path}: {sentence}" for path, sentence in self.errors.items()))


class InvalidInputProps(InvalidRequest):
    """The template's schema refuses the input props."""


class InvalidTemplate(InvalidRequest):
    """Fields of a template that is not saved; by the name of the model's field."""


class Conflict(Refused):
    """The row's status does not allow what was asked for."""


class ExternalIdExists(Refused):
    """The owner has a render with this external id already, and asked for a unique one."""

    def __init__(self, render_id: UUID) -> None:
        self.render_id = render_id
        super().__init__(f"There is a render with this externalId already: {render_id}. Follow it, or send another.")


class FilesExpired(Refused):
    """The files of the render have been deleted, because their time has passed."""


class KeyReused(Refused):
    """The idempotency key was used for another request."""


class KeyInUse(Refused):
    """The first request with this idempotency key is still being answered: the same can be sent again."""


class NoFreeSlots(Refused):
    """All slots are in use, so nothing was started and no row is kept."""


class PriorityTooHigh(Refused):
    """The owner's quota does not allow this priority."""


class TooManyWaiting(Refused):
    """The owner has as many renders queued as their quota allows."""


class CostQuotaExceeded(Refused):
    """The owner's renders would cost more this month than their quota allows."""


class TemplateUnknown(Refused):
    """There is no template of this name."""


class TemplateDisabled(Refused):
    """The template exists, and nothing is rendered with it."""


class StartFailed(Exception):
    """Remotion did not confirm the start. The row is kept; ``__cause__`` says why."""

    def __init__(self, render: Render, cause: RemotionError) -> None:
        super().__init__(str(cause))
        self.__cause__ = cause
        self.render = render


class NotVerified(Exception):
    """The delivery is not signed with one of our secrets."""
