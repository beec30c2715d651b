import pytest

from renders.models import Render
from renders.services.outputs import sign_output
from tests.factories import make_render

pytestmark = pytest.mark.django_db
Status = Render.Status


class TestSignOutput:
    def test_only_a_succeeded_render_has_a_video(self) -> None:
        assert sign_output(make_render()) is None
        render = make_render(Status.SUCCEEDED)
        assert "/renders/abc123/out.mp4?" in (sign_output(render) or "")

    def test_it_is_signed_anew_and_never_stored(self) -> None:
        render = make_render(Status.SUCCEEDED)
        sign_output(render)
        assert "X-Amz-Signature" not in str(Render.objects.values().get())
