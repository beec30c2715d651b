"""Links to the AWS console, equal to those of Remotion's JavaScript client.

They follow ``get-aws-urls`` of @remotion/lambda-client, whose answers are recorded in
tests/recordings/console-urls.json.
"""

from urllib.parse import quote


def is_china(region: str) -> bool:
    """Return whether the region is in the partition ``aws-cn``, which has a console of its own."""
    return region.startswith("cn-")


def _console_domain(region: str) -> str:
    return "console.amazonaws.cn" if is_china(region) else "console.aws.amazon.com"


def cloudwatch_logs_url(*, region: str, function_name: str, render_id: str, method: str = "renderer") -> str:
    """Return the link to the logs of the functions that rendered: the client's ``cloudWatchLogs``.

    ``method`` is what they were called for: ``renderer`` for a video, ``still`` for a still.
    """
    query = f'"method={method},renderId={render_id}"'
    # JavaScript's encodeURIComponent, then "%" written as CloudWatch's router wants it.
    encoded = quote(query, safe="!'()*-._~").replace("%", "$25")
    return (
        f"https://{region}.{_console_domain(region)}/cloudwatch/home?region={region}"
        f"#logsV2:log-groups/log-group/$252Faws$252Flambda$252F{function_name}"
        f"/log-events$3FfilterPattern$3D{encoded}"
    )


def s3_folder_url(*, region: str, bucket_name: str, render_id: str) -> str:
    """Return the link to the render's folder in its bucket: the client's ``folderInS3Console``."""
    domain = _console_domain(region)
    host = f"{region}.{domain}" if is_china(region) else f"s3.{domain}"
    return f"https://{host}/s3/buckets/{bucket_name}?region={region}&prefix=renders/{render_id}/"
