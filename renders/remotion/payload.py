"""What the function is sent: JSON built by the official Python client, which also uploads large input props."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError
from django.conf import settings
from remotion_lambda import RemotionClient, RenderMediaParams, RenderStillParams
from remotion_lambda.exception import RemotionException, RemotionInvalidArgumentException

from renders.remotion.aws import s3_client, session, translated_errors
from renders.remotion.errors import PropsNotStored, Rejected, SetupError
from renders.remotion.info import function_version
from renders.remotion.option import STILL, VIDEO
from renders.remotion.options import lambda_payload
from renders.remotion.target import LambdaTarget

MIN_UPLOADED_BYTES = 150_000


def build_payload(
    target: LambdaTarget,
    params: RenderMediaParams | RenderStillParams,
    *,
    serve_url: str,
    props_name: str,
    options: Mapping[str, Any],
) -> str:
    """Return the JSON payload for ``params`` and a render's ``options``, of the function's version.

    The options are set under Remotion's own names, since the official client writes some of them in
    another spelling, which the function ignores.

    Input props that are too large for the payload (a video's from about 194 KB, a still's from 5 MB) are
    uploaded to ``input-props/<props_name>.json``, which no other render may use. Raise PropsNotStored if
    the bucket refuses them, Rejected if Remotion cannot take them, SetupError or Unavailable.
    """
    target.require_credentials()
    kind = STILL if isinstance(params, RenderStillParams) else VIDEO
    ours = {
        "version": function_version(target),
        "licenseKey": settings.REMOTION_LICENSE_KEY or None,
        "isProduction": settings.REMOTION_IS_PRODUCTION,
        "privacy": options.get("privacy", settings.REMOTION_PRIVACY),
    }
    try:
        official = _construct(_PayloadBuilder(target, serve_url, props_name), params, kind=kind)
    except SetupError as err:
        raise PropsNotStored(f"The input props are too large for a request and cannot be stored: {err}") from err
    return json.dumps({**official, **lambda_payload(options, kind=kind), **ours})


def may_be_uploaded(input_props: dict[str, Any]) -> bool:
    """Return whether ``build_payload`` may have uploaded these props; the official client decides, at about 194 KB."""
    return len(json.dumps(input_props)) > MIN_UPLOADED_BYTES


class _PayloadBuilder(RemotionClient):
    """The official client, used to build one payload.

    It uploads large props to the configured bucket, if any, under a name of their own. By itself it
    names them after their hash, and the function deletes its props when it ends, so that of two
    renders with equal props the first one to end would take away those of the other.
    """

    def __init__(self, target: LambdaTarget, serve_url: str, props_name: str) -> None:
        super().__init__(
            region=target.region, serve_url=serve_url, function_name=target.function_name, session=session(target)
        )
        self.target = target
        self._props_name = props_name

    def _create_s3_client(self) -> Any:
        return s3_client(self.target)

    def _get_or_create_bucket(self) -> str:
        return self.target.bucket_name or super()._get_or_create_bucket()

    def _generate_hash(self, payload: str) -> str:
        return self._props_name


def _construct(builder: _PayloadBuilder, params: RenderMediaParams | RenderStillParams, *, kind: str) -> dict[str, Any]:
    with translated_errors(builder.target):
        try:
            request = builder.construct_render_request(
                params, render_type="still" if kind == STILL else "video-or-audio"
            )
        except RemotionInvalidArgumentException as err:
            if isinstance(err.__cause__, ClientError):
                raise err.__cause__ from err
            raise Rejected(f"Remotion cannot take these input props: {err}") from err
        except RemotionException as err:
            raise Rejected(str(err)) from err
    payload: dict[str, Any] = json.loads(request)
    return payload
