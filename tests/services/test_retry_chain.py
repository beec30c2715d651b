from datetime import timedelta

import pytest
from django.utils import timezone

from renders.models import Render
from renders.services import retry_chain as module
from renders.services.retry_chain import retry_chain
from tests.factories import make_render

pytestmark = pytest.mark.django_db


def chain(length: int) -> list[Render]:
    now = timezone.now()
    rows: list[Render] = []
    for number in range(length):
        earlier = rows[-1] if rows else None
        rows.append(make_render(Render.Status.FAILED, retry_of=earlier, created_at=now + timedelta(seconds=number)))
    return rows


class TestRetryChain:
    @pytest.mark.parametrize("number", range(4))
    def test_each_of_a_chain_finds_all(self, number: int) -> None:
        rows = chain(4)
        make_render()
        assert retry_chain(rows[number]) == rows

    def test_one_that_was_repeated_twice_has_both(self) -> None:
        first, second = chain(2)
        third = make_render(retry_of=first, created_at=timezone.now() + timedelta(minutes=1))
        for render in (first, second, third):
            assert retry_chain(render) == [first, second, third]

    def test_one_that_was_never_repeated_is_alone(self) -> None:
        (render,) = chain(1)
        assert retry_chain(render) == [render]

    def test_a_long_chain_is_cut(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MOST", 3)
        rows = chain(6)
        assert retry_chain(rows[0]) == rows[:3]
        assert retry_chain(rows[-1]) == rows[-3:]
