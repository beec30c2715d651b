"""Small pictures of renders."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from renders.models import Render
from tests.factories import BUCKET, make_render

pytestmark = pytest.mark.django_db
LIST = "/admin/renders/render/"
Status = Render.Status


def make_still(status: str = Status.SUCCEEDED, **fields: Any) -> Render:
    return make_render(status, **{"kind": "still", "extension": "jpeg", "codec": "", "frame": 0, **fields})


def make_video_with_poster(**fields: Any) -> Render:
    video = make_render(Status.SUCCEEDED, poster_request={"frame": 1})
    make_still(**{"poster_of": video, "output_key": "renders/poster.jpeg", **fields})
    return video


def picture(admin: Client, render: Render) -> Any:
    return admin.get(f"{LIST}{render.pk}/picture/")


def is_shown(admin: Client, render: Render) -> bool:
    return f'<img src="{LIST}{render.pk}/picture/" alt="" loading="lazy"' in admin.get(LIST).content.decode()


def test_of_a_video_it_is_its_poster(admin: Client, django_assert_num_queries: Any) -> None:
    video = make_video_with_poster()
    assert is_shown(admin, video)
    with django_assert_num_queries(4):  # the session, its user, the video, its poster
        response = picture(admin, video)
    assert response.status_code == 302
    assert response.headers["Location"].startswith(f"https://{BUCKET}.s3.amazonaws.com/renders/poster.jpeg?X-Amz-")
    assert response.headers["Cache-Control"].startswith("private, max-age=")


def test_of_a_still_it_is_the_still(admin: Client) -> None:
    still = make_still(output_key="renders/still.png", extension="png")
    assert is_shown(admin, still)
    assert "/renders/still.png?" in picture(admin, still).headers["Location"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: make_render(Status.SUCCEEDED),
        lambda: make_still(Status.FAILED),
        lambda: make_still(extension="pdf"),
        lambda: make_still(options={"deleteAfter": "1-day"}, submitted_at=timezone.now() - timedelta(days=2)),
        lambda: make_video_with_poster(status=Status.QUEUED),
    ],
    ids=["video without poster", "failed still", "document", "expired", "poster that waits"],
)
def test_others_have_none(admin: Client, make: Any) -> None:
    render = make()
    assert not is_shown(admin, render)
    assert picture(admin, render).status_code == 404


def test_of_a_video_without_a_poster_it_is_the_first_frame(admin: Client, django_assert_num_queries: Any) -> None:
    video = make_render(Status.SUCCEEDED, output_key="renders/out.mp4")
    address = f"{LIST}{video.pk}/first-frame/"
    assert f'<video data-src="{address}" preload="none"' in admin.get(LIST).content.decode()
    with django_assert_num_queries(3):  # the session, its user, the video
        response = admin.get(address)
    assert response.status_code == 302
    assert response.headers["Location"].startswith(f"https://{BUCKET}.s3.amazonaws.com/renders/out.mp4?X-Amz-")


@pytest.mark.parametrize(
    "make",
    [
        make_video_with_poster,
        make_still,
        lambda: make_render(Status.RENDERING),
        lambda: make_render(Status.SUCCEEDED, extension="mov", codec="prores"),
        lambda: make_render(Status.SUCCEEDED, extension="mp3", codec="mp3"),
    ],
    ids=["video with poster", "still", "video that renders", "video that browsers do not play", "sound"],
)
def test_no_frame_of_others_is_loaded(admin: Client, make: Any) -> None:
    make()
    assert "data-src" not in admin.get(LIST).content.decode()


def test_what_is_no_video_has_no_first_frame(admin: Client) -> None:
    assert admin.get(f"{LIST}{make_still().pk}/first-frame/").status_code == 404
    assert admin.get(f"{LIST}{uuid.uuid4()}/first-frame/").status_code == 404


def test_without_credentials_there_is_none(admin: Client, settings: Any) -> None:
    settings.REMOTION_AWS_ACCESS_KEY_ID = ""
    assert picture(admin, make_still()).status_code == 404


def test_of_a_render_that_does_not_exist_there_is_none(admin: Client) -> None:
    assert admin.get(f"{LIST}{uuid.uuid4()}/picture/").status_code == 404


def test_who_may_not_view_renders_sees_none(client: Client, user: User) -> None:
    User.objects.update(is_staff=True)
    client.force_login(user)
    assert picture(client, make_still()).status_code == 403
    video = make_render(Status.SUCCEEDED)
    assert client.get(f"{LIST}{video.pk}/first-frame/").status_code == 403
