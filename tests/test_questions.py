"""The questionnaire: what it asks, what it takes and what it refuses."""

from pathlib import Path

import copier
import pytest
import yaml

from conftest import Render
from projects import ROOT, questions, run

SETTINGS = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))

DEFAULTS = {
    "project_name": "My Backend",
    "project_slug": "my-backend",
    "mode": "async",
    "database": "postgresql",
    "pgbouncer": False,
    "soft_delete": False,
    "python_version": "3.11",
    "ci": "github",
}

GOOD = [
    ("project_name", "Käse & Co. 2"),
    ("project_slug", "a"),
    ("project_slug", "my-backend-2"),
    ("project_description", ""),
    ("python_version", "3.14"),
    ("resources", ""),
]

BAD = [
    ("project_name", "", "write a name"),
    ("project_name", 'The "best"', "quotation marks"),
    ("project_name", "x" * 81, "at most 80"),
    ("project_slug", "My Backend", "lower-case"),
    ("project_slug", "2nd", "a letter first"),
    ("project_slug", "a--b", "single dashes"),
    ("project_slug", "x" * 41, "at most 40"),
    ("project_description", "two\nlines", "line breaks"),
    ("python_version", "3.10", "3.11, 3.12, 3.13 or 3.14"),
    ("pgbouncer_default_pool_size", 0, "from 1 to 1000"),
    ("pgbouncer_max_client_conn", 5, "from 20"),
    ("resources", "post:\n  title: string", "line 2: post.title"),
    ("mode", "both", "Invalid choice"),
]


def test_each_question_has_a_default_and_a_reason() -> None:
    for name in questions():
        assert "default" in SETTINGS[name], name
        assert SETTINGS[name]["help"], name
        for line in SETTINGS[name]["help"].splitlines():
            assert len(line) <= 85, f"{name}: a terminal does not show all of {line!r}"


def test_nobody_has_to_trust_this() -> None:
    assert not {"_tasks", "_migrations", "_jinja_extensions"} & SETTINGS.keys()


def test_enter_all_the_way(rendered: Render) -> None:
    answers = yaml.safe_load((rendered() / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert {name: answers[name] for name in DEFAULTS if name in answers} == {
        name: value for name, value in DEFAULTS.items() if name in answers
    }
    assert answers["resources"] == SETTINGS["resources"]["default"]


@pytest.mark.parametrize(("name", "answer"), GOOD)
def test_a_good_answer(name: str, answer: str, rendered: Render) -> None:
    rendered(**{name: answer})


@pytest.mark.parametrize(("name", "answer", "words"), BAD)
def test_a_bad_answer_is_refused_and_nothing_is_written(
    name: str, answer: object, words: str, template: Path, tmp_path: Path
) -> None:
    target = tmp_path / "project"
    with pytest.raises(ValueError, match=r"Validation error|Invalid choice") as refusal:
        copier.run_copy(
            str(template),
            target,
            data={"pgbouncer": True, name: answer},
            defaults=True,
            quiet=True,
        )
    assert words in str(refusal.value)
    assert not target.exists()


def test_the_code_of_the_template_itself_is_clean() -> None:
    run(["ruff", "format", "--check", "--quiet", "."], ROOT)
    run(["ruff", "check", "--quiet", "."], ROOT)
