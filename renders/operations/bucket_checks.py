"""System checks that ask S3 about Remotion's bucket; they run with ``check --deploy`` only."""

from typing import Any

from django.core.checks import CheckMessage, Info, Tags, Warning, register  # noqa: A004

from renders.remotion import storage
from renders.remotion.errors import RemotionError, SetupError
from renders.remotion.target import LambdaTarget


@register(Tags.security, deploy=True)
def check_lifecycle_rules(**kwargs: Any) -> list[CheckMessage]:
    """Warn if files of renders with the option ``deleteAfter`` would stay for ever."""
    target = LambdaTarget.from_settings()
    try:
        target.require_credentials()
    except SetupError:
        return []  # another check says so
    try:
        names = [target.bucket_name] if target.bucket_name else storage.list_buckets(target)
        missing = {name: storage.missing_lifecycle_rules(target, bucket_name=name) for name in names}
    except RemotionError as err:
        said = f"Whether Remotion's bucket deletes files after the time that deleteAfter says cannot be told: {err}"
        return [Info(said, hint="The permission s3:GetLifecycleConfiguration is needed.", id="renders.I001")]
    return [
        Warning(
            f"The bucket {name} has no rules that delete files after {', '.join(times)}:"
            " with the option deleteAfter they would stay for ever.",
            hint="Run `npx remotion lambda sites create --enable-folder-expiry` for a site in that bucket.",
            id="renders.W012",
        )
        for name, times in missing.items()
        if times
    ]
