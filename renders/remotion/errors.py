"""What can go wrong between us and Remotion Lambda, by what a caller can do about it."""


class RemotionError(Exception):
    """The parent of all. ``str()`` of each is one sentence that a person can act on."""


class SetupError(RemotionError):
    """Something must be deployed, permitted or configured first; nothing was started."""


class FunctionMissing(SetupError):
    """AWS knows no function of the configured name."""


class AccessDenied(SetupError):
    """AWS refuses the credentials, or they may not do this."""


class VersionMismatch(SetupError):
    """The deployed function is of another version than the client."""


class PropsNotStored(SetupError):
    """Input props that are too large for a request could not be put into the bucket."""


class Rejected(RemotionError):
    """Remotion, or Lambda's API, refused the request; nothing was started."""


class Throttled(RemotionError):
    """AWS has no room for another function now; nothing was started."""


class Unavailable(RemotionError):
    """AWS could not be reached, or did not answer a read; nothing was started."""


class NoNews(Unavailable):
    """AWS answered, but nothing can be made of it now."""


class OutcomeUnknown(RemotionError):
    """The call that starts a render ended without an answer: it may or may not have started."""
