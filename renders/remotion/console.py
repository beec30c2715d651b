"""Links into the AWS console, equal to those of Remotion's JavaScript client.

They follow ``get-aws-urls`` of @remotion/lambda-client; tests/recordings/console-urls.json
holds what that one answers.
"""

from urllib.parse import quote


def is_china(region: str) -> bool:
    """Whether the region is of AWS's partition ``aws-cn``, which has a console of its own."""
    return region.startswith("cn-")


def _console_domain(region: str) -> str:
    return "console.amazonaws.cn" if is_china(region) else "console.aws.amazon.com"


def cloudwatch_logs_url(*, region: str, function_name: str, render_id: str) -> str:
    """The logs of the functions that render the frames: the client's ``cloudWatchLogs``."""
    query = f'"method=renderer,renderId={render_id}"'
    # JavaScript's encodeURIComponent, then "%" written as CloudWatch's router wants it.
    encoded = quote(query, safe="!'()*-._~").replace("%", "$25")
    return (
        f"https://{region}.{_console_domain(region)}/cloudwatch/home?region={region}"
        f"#logsV2:log-groups/log-group/$252Faws$252Flambda$252F{function_name}"
        f"/log-events$3FfilterPattern$3D{encoded}"
    )


def s3_folder_url(*, region: str, bucket_name: str, render_id: str) -> str:
    """The render's folder in the bucket: the client's ``folderInS3Console``."""
    domain = _console_domain(region)
    host = f"{region}.{domain}" if is_china(region) else f"s3.{domain}"
    return f"https://{host}/s3/buckets/{bucket_name}?region={region}&prefix=renders/{render_id}/"
