"""Why a use case was refused or failed. ``str()`` of each is one sentence that a person can act on."""

from renders.models import Render
from renders.remotion.errors import RemotionError


class Refused(Exception):
    """What was asked for is not possible now. Nothing has changed."""


class Conflict(Refused):
    """The row's status does not allow what was asked for."""


class KeyReused(Refused):
    """The idempotency key was used for another request."""


class KeyInUse(Refused):
    """The first request with this idempotency key is still being answered: the same can be sent again."""


class NoFreeSlots(Refused):
    """All slots are in use, so nothing was started and no row is kept."""


class StartFailed(Exception):
    """Remotion did not confirm the start. The row is kept; ``__cause__`` says why."""

    def __init__(self, render: Render, cause: RemotionError) -> None:
        super().__init__(str(cause))
        self.__cause__ = cause
        self.render = render


class NotVerified(Exception):
    """The delivery is not signed with one of our secrets."""
