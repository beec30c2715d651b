"""What can go wrong with Remotion Lambda, by what a caller can do about it."""


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
    """The deployed function has another version than the client."""


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
