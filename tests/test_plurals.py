"""Singular and plural nouns. The rule is frozen: a change to it renames people's tables."""

import pytest

from macros import ROOT, load_macros

GOLDEN = dict(line.split() for line in (ROOT / "tests/data/plurals.txt").read_text().splitlines())

PLURALS = load_macros("plurals")

SINGULAR_IN_S = """
    access address alias analysis analytics atlas axis basis bias boss bus business campus canvas
    census chaos class compass corpus crisis dns dress focus gas gps headquarters iris kudos lens
    logistics mass means news oasis opus pos press process radius series species status success
    tennis thesis virus
"""

PLURAL_AND_SINGULAR = [
    ("addresses", "address"),
    ("aliases", "alias"),
    ("analyses", "analysis"),
    ("apis", "api"),
    ("bonuses", "bonus"),
    ("boxes", "box"),
    ("branches", "branch"),
    ("buses", "bus"),
    ("caches", "cache"),
    ("cases", "case"),
    ("categories", "category"),
    ("children", "child"),
    ("classes", "class"),
    ("courses", "course"),
    ("criteria", "criterion"),
    ("databases", "database"),
    ("dishes", "dish"),
    ("expenses", "expense"),
    ("heroes", "hero"),
    ("houses", "house"),
    ("keys", "key"),
    ("lenses", "lens"),
    ("licenses", "license"),
    ("menus", "menu"),
    ("movies", "movie"),
    ("order_lines", "order_line"),
    ("people", "person"),
    ("photos", "photo"),
    ("posts", "post"),
    ("prizes", "prize"),
    ("quizzes", "quiz"),
    ("responses", "response"),
    ("shoes", "shoe"),
    ("statuses", "status"),
    ("taxes", "tax"),
    ("women", "woman"),
]


def test_the_golden_list_holds() -> None:
    assert len(GOLDEN) >= 300
    assert {one: PLURALS.plural(one) for one in GOLDEN} == GOLDEN


def test_no_singular_is_taken_for_a_plural() -> None:
    assert [one for one in [*GOLDEN, *SINGULAR_IN_S.split()] if PLURALS.singular(one)] == []


def test_plurals_lead_back_to_their_singular() -> None:
    """All but those that are a singular noun too, such as `data`."""
    both = {"data", "media", "line_2s", *(one for one, many in GOLDEN.items() if one == many)}
    back = {many: PLURALS.singular(many) for many in GOLDEN.values() if many not in both}
    assert back == {many: one for one, many in GOLDEN.items() if many not in both}


@pytest.mark.parametrize(("many", "one"), PLURAL_AND_SINGULAR)
def test_a_plural_has_a_singular(many: str, one: str) -> None:
    assert PLURALS.singular(many) == one
