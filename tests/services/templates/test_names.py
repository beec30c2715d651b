import pytest

from renders.services.templates.names import free_name, site_slug


@pytest.mark.parametrize(
    ("site", "slug"),
    [
        ("Promo-Site", "promo-site"),
        ("https://remotionlambda-x.s3.us-east-1.amazonaws.com/sites/my_site/index.html", "my_site"),
        ("http://127.0.0.1:5000/bucket/sites/a/index.html?x=1", "a"),
        ("https://videos.example.com/", "videos-example-com"),
    ],
)
def test_a_site_has_a_short_name(site: str, slug: str) -> None:
    assert site_slug(site) == slug


def test_a_name_is_the_slug_of_the_composition() -> None:
    assert free_name("HelloWorld-2", site="a", taken=()) == "helloworld-2"


def test_a_taken_name_gets_the_site_before_it_and_then_a_hash() -> None:
    assert free_name("Promo", site="Site", taken={"promo"}) == "site-promo"
    last = free_name("Promo", site="Site", taken={"promo", "site-promo"})
    assert last.startswith("promo-")
    assert len(last) == len("promo-") + 6
    assert last == free_name("Promo", site="Site", taken={"promo", "site-promo"})
    assert last != free_name("Promo", site="Other", taken={"promo", "other-promo"})


def test_every_name_is_one_that_can_be_stored() -> None:
    assert free_name("介绍", site="a", taken=()).startswith("composition-")
    assert free_name("介绍", site="a", taken=()) != free_name("结束", site="a", taken=())
    long = free_name("x" * 300, site="y" * 300, taken={"x" * 100, "y" * 100})
    assert len(long) == 100
