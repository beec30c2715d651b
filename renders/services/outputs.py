"""Links to what was rendered."""

from renders.models import Render
from renders.remotion import storage
from renders.remotion.target import LambdaTarget


def sign_output(render: Render) -> str | None:
    """Return a URL that shows the video for one hour; None if there is no video (yet).

    Raise SetupError if the settings lack what a signature needs.
    """
    if render.status != Render.Status.SUCCEEDED:
        return None
    target = LambdaTarget.in_region(render.region)
    return storage.sign_output_url(target, bucket_name=render.output_bucket, key=render.output_key)
