"""What can go wrong with Remotion Lambda, by what a caller can do about it."""

from collections.abc import Mapping, Sequence
from typing import Any


class RemotionError(Exception):
    """Base of all errors here. ``str()`` of each is one sentence that a person can act on."""


class SetupError(RemotionError):
    """Something must be deployed, permitted or configured first. Nothing was started."""


class FunctionMissing(SetupError):
    """AWS has no function of the configured name."""


class AccessDenied(SetupError):
    """AWS refuses the credentials, or they lack a permission."""


class BucketMissing(SetupError):
    """The named bucket does not exist, so no render is in it."""


class VersionMismatch(SetupError):
    """The function has another version than the payload said. The next payload has the right one."""


class SiteUnusable(SetupError):
    """The site does not exist, is not Remotion's, or fails when it is opened."""


class PropsNotStored(SetupError):
    """Input props too large for the request could not be uploaded to the bucket."""


class Rejected(RemotionError):
    """Remotion, or Lambda's API, refused the request. Nothing was started."""


class Throttled(RemotionError):
    """AWS has no capacity for another function now. Nothing was started."""


class Unavailable(RemotionError):
    """AWS could not be reached, or did not answer a read. Nothing was started."""


class UnusableResponse(Unavailable):
    """S3 answered, but the file is torn or malformed; it is read again."""


class OutcomeUnknown(RemotionError):
    """The call that starts a render ended without an answer: it may or may not have started."""


class StillFailed(RemotionError):
    """The function rendered the still and says why it failed: paid, and nothing more will come of it."""

    def __init__(self, sentence: str, *, render_id: str = "", errors: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(sentence)
        self.render_id = render_id
        """Remotion's name for the still; it has a folder in the bucket only if its composition was found."""
        self.errors: list[dict[str, Any]] = [dict(error) for error in errors]
        """As ``RenderProgress.errors``."""


class InvalidOptions(ValueError):
    """Options of a render that Remotion does not take, or not together. The request's fault: no RemotionError."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors: dict[str, str] = dict(errors)
        """One sentence for each option, by its name."""
        super().__init__(" ".join(f"{name}: {sentence}" for name, sentence in self.errors.items()))
