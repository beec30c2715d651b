"""Rows of every kind, with outputs that can be played."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.utils import timezone

from renders.models import LedgerEntry, Quota, Render
from tests.api.owned_rows import make_one_of_everything
from tests.factories import BUCKET, make_render
from tests.webhooks import about, deliver

PUBLIC = Path(settings.BASE_DIR) / "tests" / "sandbox" / "project" / "public"
VIDEO, PICTURE = PUBLIC / "clip.mp4", PUBLIC / "logo.png"
OUTPUTS = {"renders/video/out.mp4": (VIDEO, "video/mp4"), "renders/still/out.png": (PICTURE, "image/png")}


def fill(bucket: Any) -> Render:
    """Make rows of every kind, and files of those that succeeded; return the video that did."""
    for key, (path, kind) in OUTPUTS.items():
        bucket.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes(), ContentType=kind)
    owner = make_one_of_everything().owner
    Group.objects.create(name="support")
    used = {"day": timezone.now().date(), "region": "us-east-1", "currency": "USD", "renders": 1, "cost": 0.0123}
    LedgerEntry.objects.create(owner=owner, render_uuid=Render.objects.all()[0].pk, **used)
    Quota.objects.create(owner=owner, max_functions=8)
    for status in Render.Status.values:
        make_render(status, owner=owner, error="Error: <b>no</b> such image" if status == Render.Status.FAILED else "")
    make_render(
        Render.Status.SUCCEEDED, kind=Render.Kind.STILL, codec="png", extension="png",
        output_key="renders/still/out.png", frames_per_lambda=None, duration_in_frames=1, frame=0,
    )  # fmt: skip
    Render.objects.filter(status=Render.Status.SUCCEEDED, kind=Render.Kind.VIDEO).update(
        output_key="renders/video/out.mp4"
    )
    deliver(about(make_render(owner=owner)))
    return Render.objects.filter(owner=owner, status=Render.Status.SUCCEEDED)[0]
