import pytest

from renders.services.errors import TemplateDisabled, TemplateUnknown
from renders.services.templates import resolve
from tests.factories import make_template

pytestmark = pytest.mark.django_db


class TestResolve:
    def test_an_enabled_template_is_found_by_its_name(self) -> None:
        template = make_template("promo")
        make_template("other")
        assert resolve("promo") == template

    @pytest.mark.parametrize("name", ["Promo", "promos", "pormo"])
    def test_a_near_name_is_told(self, name: str) -> None:
        make_template("promo")
        make_template("promo-old", enabled=False)
        with pytest.raises(TemplateUnknown) as caught:
            resolve(name)
        assert str(caught.value) == f"There is no template {name}. Did you mean promo?"

    @pytest.mark.parametrize("name", ["", "x", "\0", "x" * 100_000, "promo\0", "🙂", "'; --"])
    def test_odd_names_do_no_harm(self, name: str) -> None:
        make_template("promo")
        with pytest.raises(TemplateUnknown) as caught:
            resolve(name)
        assert len(str(caught.value)) < 200

    def test_a_disabled_one_is_told_apart(self) -> None:
        make_template("promo", enabled=False)
        make_template("promo-2")
        with pytest.raises(TemplateDisabled) as caught:
            resolve("promo")
        assert str(caught.value).endswith("is disabled: nothing is rendered with it now. Did you mean promo-2?")
