import pytest

from renders.models import Render
from renders.services.outputs import sign_output
from tests.factories import load_recording, make_render
from tests.servers import reply

pytestmark = pytest.mark.django_db
Status, Reason = Render.Status, Render.FailureReason


NO_METADATA = reply({**load_recording("succeeds")[-1]["progress.json"], "renderMetadata": None})


class TestSignOutput:
    def test_only_a_succeeded_render_has_a_video(self) -> None:
        assert sign_output(make_render()) is None
        render = make_render(Status.SUCCEEDED)
        assert "/renders/abc123/out.mp4?" in (sign_output(render) or "")

    def test_it_is_signed_anew_and_never_stored(self) -> None:
        render = make_render(Status.SUCCEEDED)
        sign_output(render)
        assert "X-Amz-Signature" not in str(Render.objects.values().get())
