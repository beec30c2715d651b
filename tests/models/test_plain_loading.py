import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from renders.models import Render
from tests.factories import make_render

pytestmark = pytest.mark.django_db


class TestPlainLoading:
    def test_a_loaded_row_equals_the_saved_one(self) -> None:
        saved = make_render(cost=0.5, errors=[{"message": "x"}])
        loaded = Render.objects.get(pk=saved.pk)
        names = [field.attname for field in Render._meta.concrete_fields]
        assert {name: getattr(loaded, name) for name in names} == {name: getattr(saved, name) for name in names}

    def test_a_field_that_was_left_out_is_fetched_when_it_is_read(self) -> None:
        pk = make_render(error="Later.").pk
        loaded = Render.objects.only("status").get(pk=pk)
        with CaptureQueriesContext(connection) as queries:
            assert loaded.error == "Later."
        assert len(queries) == 1

    def test_saving_a_loaded_row_updates_it(self) -> None:
        loaded = Render.objects.only("error").get(pk=make_render().pk)
        loaded.error = "New."
        loaded.save()
        assert Render.objects.get().error == "New."
