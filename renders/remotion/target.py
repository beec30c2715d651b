"""Where a call goes: region, function and its size, bucket, credentials."""

import re
from dataclasses import dataclass, field, replace
from typing import Self

from django.conf import settings

from renders.remotion.errors import SetupError
from renders.remotion.versions import PINNED_VERSION, version_in_name

SIZE_IN_NAME = re.compile(r"-mem(\d+)mb-disk(\d+)mb-(\d+)sec$")

STARTUP_SECONDS = 15
"""Before Lambda counts a function's time: connecting, and starting a cold function, at most 10 s."""

NOT_SET_UP = "Set up Remotion Lambda to render videos. See the README.md for how to do so."
SECRET_KEY_MISSING = "The environment variable REMOTION_AWS_SECRET_ACCESS_KEY is missing. Add it to your .env file."  # noqa: S105


@dataclass(frozen=True)
class LambdaTarget:
    """A Remotion function on AWS, and what it takes to call it and to read its bucket.

    Hashable: calls with equal targets share their AWS clients.
    """

    region: str
    function_name: str
    memory_size: int
    """MB."""
    disk_size: int
    """MB."""
    function_timeout: int
    """Seconds."""
    bucket_name: str
    """Empty: the function finds its bucket itself."""
    start_timeout: int
    """Seconds to wait for the function's answer to ``start``."""
    s3_endpoint_url: str
    """Empty: AWS's own, as for Lambda."""
    lambda_endpoint_url: str
    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    use_default_credentials: bool

    @classmethod
    def from_settings(cls) -> Self:
        """Return what the settings say now, complete or not."""
        has_own_key = bool(settings.REMOTION_AWS_ACCESS_KEY_ID)
        size = (settings.REMOTION_RAM, settings.REMOTION_DISK, settings.REMOTION_TIMEOUT)
        if found := SIZE_IN_NAME.search(settings.REMOTION_FUNCTION_NAME):
            size = (int(found[1]), int(found[2]), int(found[3]))
        return cls(
            region=settings.REMOTION_REGION,
            function_name=settings.REMOTION_FUNCTION_NAME or function_name(*size),
            memory_size=size[0],
            disk_size=size[1],
            function_timeout=size[2],
            bucket_name=settings.REMOTION_BUCKET_NAME,
            start_timeout=settings.REMOTION_START_TIMEOUT,
            s3_endpoint_url=settings.AWS_ENDPOINT_URL_S3,
            lambda_endpoint_url=settings.AWS_ENDPOINT_URL_LAMBDA,
            access_key_id=settings.REMOTION_AWS_ACCESS_KEY_ID or settings.AWS_ACCESS_KEY_ID,
            secret_access_key=settings.REMOTION_AWS_SECRET_ACCESS_KEY or settings.AWS_SECRET_ACCESS_KEY,
            # A token belongs to the key that it was issued with.
            session_token=settings.REMOTION_AWS_SESSION_TOKEN if has_own_key else settings.AWS_SESSION_TOKEN,
            use_default_credentials=settings.REMOTION_USE_DEFAULT_CREDENTIALS,
        )

    @classmethod
    def in_region(cls, region: str) -> Self:
        """Return today's credentials for ``region``: what is needed to read a render that ran there."""
        return replace(cls.from_settings(), region=region)

    @property
    def start_time_limit(self) -> int:
        """Seconds after which a start has an answer or an unknown outcome: the function ends by itself too."""
        return min(self.start_timeout, self.function_timeout)

    @property
    def answer_time_limit(self) -> int:
        """Seconds after which a call that waits for the function's work has an answer or an unknown outcome."""
        return self.function_timeout + STARTUP_SECONDS

    def require_credentials(self) -> None:
        """Raise SetupError if the credentials to call AWS are missing."""
        if self.use_default_credentials:
            return
        if not self.access_key_id:
            raise SetupError(NOT_SET_UP)
        if not self.secret_access_key:
            raise SetupError(SECRET_KEY_MISSING)


def memory_in_name(function_name: str) -> int | None:
    """Return the memory in MB of a function with such a name; None if its name does not tell."""
    found = SIZE_IN_NAME.search(function_name)
    return int(found[1]) if found else None


def function_name(
    memory_size_in_mb: int, disk_size_in_mb: int, timeout_in_seconds: int, *, version: str = PINNED_VERSION
) -> str:
    """Return the name that Remotion gives a function when it deploys it.

    https://www.remotion.dev/docs/lambda/naming-convention
    """
    dashed = version.replace(".", "-")
    return f"remotion-render-{dashed}-mem{memory_size_in_mb}mb-disk{disk_size_in_mb}mb-{timeout_in_seconds}sec"


def deploy_command(target: LambdaTarget) -> str:
    """Return the command that deploys a function of the target's version, region and size."""
    version = version_in_name(target.function_name) or PINNED_VERSION
    return (
        f"npx -p @remotion/cli@{version} -p @remotion/lambda@{version}"
        f" remotion lambda functions deploy --region={target.region}"
        f" --memory={target.memory_size} --disk={target.disk_size} --timeout={target.function_timeout}"
    )


def how_to_deploy(target: LambdaTarget) -> str:
    """Return a sentence with the command that deploys the function that ``target`` names."""
    if version_in_name(target.function_name):
        return f"Deploy it: {deploy_command(target)}"
    deployed = function_name(target.memory_size, target.disk_size, target.function_timeout)
    return f"Deploy {deployed} and remove REMOTION_FUNCTION_NAME, or set it to that name: {deploy_command(target)}"
