from typing import Any

import pytest

from renders.models import Render
from renders.services.usage.reckoning import reckoning
from tests.factories import make_render

pytestmark = pytest.mark.django_db
RECORDED = {"cost": 0.0007, "currency": "USD", "function_seconds": 17.835}
"""What Remotion said of a render of 3 functions with 3,009 MB (recordings/succeeds.json)."""


def render(**fields: Any) -> Render:
    return make_render(Render.Status.SUCCEEDED, **{**RECORDED, **fields})


class TestReckoning:
    def test_the_lines_add_up_to_what_remotion_said(self) -> None:
        memory, disk, rest = reckoning(render())
        assert memory.reckoned == "17.8 s × 2.94 GB × 0.0000133334"
        assert memory.amount == pytest.approx(0.000699, abs=1e-6)
        assert disk.amount == pytest.approx(0.000005, abs=1e-6)
        assert memory.amount + disk.amount + rest.amount == pytest.approx(0.0007)

    @pytest.mark.parametrize(("cost", "name"), [(0.0007, "Rounding"), (0.00072, "Requests, rounding")])
    def test_what_is_left_is_no_cost_of_requests_if_it_is_negative(self, cost: float, name: str) -> None:
        assert reckoning(render(cost=cost))[-1].name == name

    @pytest.mark.parametrize(
        "fields",
        [
            {"cost": None},
            {"function_seconds": None},
            {"function_name": "my-own-function"},
            {"region": "mars-north-1"},
            {"cost": 0.01},
        ],
    )
    def test_there_are_none_where_they_would_not_explain_it(self, fields: dict[str, Any]) -> None:
        assert reckoning(render(**fields)) == []
