"""The configuration of Remotion Lambda, taken from the settings."""

import re
from dataclasses import dataclass, field
from typing import Self

from django.conf import settings
from remotion_lambda.version import VERSION

from renders.remotion.errors import SetupError

REMOTION_VERSION: str = VERSION
CODEC = "h264"
FRAMES_PER_LAMBDA = 60
MAX_LAMBDAS_PER_RENDER = 200
MAX_FRAMES = FRAMES_PER_LAMBDA * MAX_LAMBDAS_PER_RENDER

SIZE_IN_NAME = re.compile(r"-mem(\d+)mb-disk(\d+)mb-(\d+)sec$")

NOT_SET_UP = "Set up Remotion Lambda to render videos. See the README.md for how to do so."
SECRET_KEY_MISSING = "The environment variable REMOTION_AWS_SECRET_ACCESS_KEY is missing. Add it to your .env file."  # noqa: S105
SITE_MISSING = (
    "The environment variable REMOTION_SERVE_URL is missing. Add it, or REMOTION_SITE_NAME, to your .env file:"
    " it is what `npx remotion lambda sites create` printed."
)


@dataclass(frozen=True)
class RemotionConfig:
    """All that a call to Remotion Lambda depends on. Hashable: equal ones share their AWS clients."""

    region: str
    function_name: str
    memory_size: int
    """MB."""
    disk_size: int
    """MB."""
    function_timeout: int
    """Seconds."""
    serve_url: str
    """A full URL, or the name of a site in Remotion's bucket."""
    composition: str
    bucket_name: str
    """Empty: the function finds its bucket itself."""
    privacy: str
    start_timeout: int
    """Seconds to wait for the function's answer to ``start``."""
    s3_endpoint_url: str
    lambda_endpoint_url: str
    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    use_default_credentials: bool
    webhook_url: str
    webhook_secrets: tuple[str, ...] = field(repr=False)
    """The first one signs for renders that start now; any of them is accepted."""

    @classmethod
    def from_settings(cls) -> Self:
        """Today's settings, complete or not."""
        has_own_key = bool(settings.REMOTION_AWS_ACCESS_KEY_ID)
        size = (settings.REMOTION_RAM, settings.REMOTION_DISK, settings.REMOTION_TIMEOUT)
        if told := SIZE_IN_NAME.search(settings.REMOTION_FUNCTION_NAME):
            size = (int(told[1]), int(told[2]), int(told[3]))
        return cls(
            region=settings.REMOTION_REGION,
            function_name=settings.REMOTION_FUNCTION_NAME or function_name(*size),
            memory_size=size[0],
            disk_size=size[1],
            function_timeout=size[2],
            serve_url=settings.REMOTION_SERVE_URL or settings.REMOTION_SITE_NAME,
            composition=settings.REMOTION_COMPOSITION,
            bucket_name=settings.REMOTION_BUCKET_NAME,
            privacy=settings.REMOTION_PRIVACY,
            start_timeout=settings.REMOTION_START_TIMEOUT,
            s3_endpoint_url=settings.AWS_ENDPOINT_URL_S3,
            lambda_endpoint_url=settings.AWS_ENDPOINT_URL_LAMBDA,
            access_key_id=settings.REMOTION_AWS_ACCESS_KEY_ID or settings.AWS_ACCESS_KEY_ID,
            secret_access_key=settings.REMOTION_AWS_SECRET_ACCESS_KEY or settings.AWS_SECRET_ACCESS_KEY,
            # A token belongs to the key that it was issued with.
            session_token=settings.REMOTION_AWS_SESSION_TOKEN if has_own_key else settings.AWS_SESSION_TOKEN,
            use_default_credentials=settings.REMOTION_USE_DEFAULT_CREDENTIALS,
            webhook_url=settings.REMOTION_WEBHOOK_URL,
            webhook_secrets=tuple(filter(None, map(str.strip, settings.REMOTION_WEBHOOK_SECRET.split(",")))),
        )

    def require_credentials(self) -> None:
        """Raises SetupError unless AWS can be called."""
        if self.use_default_credentials:
            return
        if not self.access_key_id:
            raise SetupError(NOT_SET_UP)
        if not self.secret_access_key:
            raise SetupError(SECRET_KEY_MISSING)

    def require_site(self) -> None:
        """Raises SetupError unless there is something to render."""
        if not self.serve_url:
            raise SetupError(SITE_MISSING)


def function_name(memory_size_in_mb: int, disk_size_in_mb: int, timeout_in_seconds: int) -> str:
    """The name that Remotion gives a function when it deploys it.

    https://www.remotion.dev/docs/lambda/naming-convention
    """
    version = REMOTION_VERSION.replace(".", "-")
    return f"remotion-render-{version}-mem{memory_size_in_mb}mb-disk{disk_size_in_mb}mb-{timeout_in_seconds}sec"


def deploy_command(config: RemotionConfig) -> str:
    """What a person types to deploy a function of this version, region and size."""
    return (
        f"npx -p @remotion/cli@{REMOTION_VERSION} -p @remotion/lambda@{REMOTION_VERSION}"
        f" remotion lambda functions deploy --region={config.region}"
        f" --memory={config.memory_size} --disk={config.disk_size} --timeout={config.function_timeout}"
    )


def how_to_deploy(config: RemotionConfig) -> str:
    """A sentence with the command that deploys the function that ``config`` needs."""
    deployed = function_name(config.memory_size, config.disk_size, config.function_timeout)
    if deployed == config.function_name:
        return f"Deploy it: {deploy_command(config)}"
    return f"Deploy {deployed} and remove REMOTION_FUNCTION_NAME, or set it to that name: {deploy_command(config)}"
