import threading

import pytest
from django.db import connection

from renders.models import Template
from tests.factories import make_template

pytestmark = pytest.mark.django_db
NOT_VERSIONED = {"name": "other", "title": "Other", "reuse": True, "enabled": False, "input_schema_is_draft": True}
VERSIONED = {
    "site": "other",
    "composition": "Other",
    "default_input_props": {"a": 1},
    "input_schema": {},
    "default_options": {"codec": "gif"},
    "allowed_options": [],
    "length": "fixed",
    "duration_in_frames": 9,
    "fps": 25,
    "width": 1,
    "height": 2,
}


@pytest.mark.parametrize("name", VERSIONED)
def test_a_change_of_what_is_rendered_raises_the_version(name: str) -> None:
    template = make_template()
    setattr(template, name, VERSIONED[name])
    template.save(update_fields=[name])
    template.refresh_from_db()
    assert (getattr(template, name), template.version) == (VERSIONED[name], 2)
    template.save()
    assert template.version == 2
    assert set(VERSIONED) == set(Template.VERSIONED)


def test_any_other_change_does_not() -> None:
    template = make_template()
    for name, value in NOT_VERSIONED.items():
        setattr(template, name, value)
    template.save()
    template.refresh_from_db()
    assert template.version == 1


@pytest.mark.django_db(transaction=True)
def test_changes_at_the_same_time_have_versions_of_their_own() -> None:
    template = make_template()
    barrier = threading.Barrier(6)
    failures: list[Exception] = []

    def change(number: int) -> None:
        try:
            own = Template.objects.get(pk=template.pk)
            barrier.wait(timeout=20)
            own.width = number + 1
            own.save()
        except Exception as err:
            failures.append(err)
        finally:
            connection.close()

    threads = [threading.Thread(target=change, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    template.refresh_from_db()
    assert template.version == 7
