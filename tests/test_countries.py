"""Countries: codes and names."""

from tapcard.countries import WITH_ARTICLE, countries, country_name, name_in_sentence


def test_countries_are_in_the_order_of_their_names() -> None:
    assert 200 < len(countries("en_GB")) < 300
    names = [name for _code, name in countries("de")]
    assert names.index("Norwegen") < names.index("Österreich") < names.index("Polen")
    assert not {"EU", "UN", "ZZ", "001"} & set(dict(countries("en")))


def test_a_country_has_a_name_in_the_language() -> None:
    assert [country_name("DE", locale) for locale in ("en_GB", "de", "fr")] == ["Germany", "Deutschland", "Allemagne"]
    assert country_name("", "en") == country_name("XX", "en") == ""


def test_some_countries_have_an_article_in_a_sentence() -> None:
    assert [name_in_sentence(code) for code in ("GB", "DE", "XX")] == ["the United Kingdom", "Germany", "XX"]
    assert set(WITH_ARTICLE.split()) <= set(dict(countries("en")))
