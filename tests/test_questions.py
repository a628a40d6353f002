"""The questionnaire: what it asks, accepts and refuses."""

import json
from pathlib import Path
from typing import Any

import copier
import pytest
from pytest_copie.plugin import Copie

from macros import SETTINGS, Renderer, environment, load_macros
from projects import ROOT, questions, run

DEFAULTS = {
    "project_name": "My Backend",
    "project_slug": "my-backend",
    "mode": "async",
    "database": "postgresql",
    "pgbouncer": False,
    "soft_delete": False,
    "auth": "none",
    "python_version": "3.11",
    "kubernetes": False,
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

BAD: list[tuple[str, Any, str]] = [
    ("project_name", "", "enter a name"),
    ("project_name", 'The "best"', "no quotation marks"),
    ("project_description", "Delete\x7f", "no quotation marks"),
    ("project_name", "x" * 81, "at most 80 characters, not 81"),
    ("project_slug", "My Backend", "as my-backend"),
    ("project_slug", "2nd", "a letter first"),
    ("project_slug", "a--b", "as my-backend"),
    ("project_slug", "x" * 41, "at most 40"),
    ("project_description", "two\nlines", "no quotation"),
    ("python_version", "3.10", "3.11, 3.12, 3.13 or 3.14"),
    ("pgbouncer_default_pool_size", 0, "from 1 to 1000"),
    ("pgbouncer_max_client_conn", 5, "from 20 to 100000"),
    ("resources", "post:\n  title: string", "line 2: post.title"),
    ("delete_files", "post", "type note, post"),
    ("resources", "post: {a: int, _access: shared}", "line 1: post._access: needs"),
    ("mismatch", "", "line 2: post._access"),
]

SLUGS = {
    "My Backend": "my-backend",
    "2nd Käse & Co.": "nd-kase-co",
    "Café Über Straße": "cafe-uber-strasse",
    "Smørrebrød, Łódź, Garçon, Mañana": "smorrebrod-lodz-garcon-manana",
    "Cafe\u0301": "cafe",
    "日本": "backend",
    "x" * 39 + " y": "x" * 39,
}


def refusal(name: str, answer: Any, **answers: Any) -> str:
    """Return what the validator of a question says of an answer."""
    known = Renderer().answers({"pgbouncer": True, "last_time": {}, **answers, name: answer})
    doomed = [{"name": name, "files": []} for name in ("note", "post")]
    mismatched = "line 2: post._access: needs accounts"
    context = {**known, "doomed": doomed, "_copier_conf": {"defaults": False}}
    context |= {"mismatched": mismatched}
    return environment().from_string(SETTINGS[name].get("validator", "")).render(context).strip()


def test_each_question_has_a_default_and_a_reason_that_fits_eighty_columns() -> None:
    for name in questions():
        assert "default" in SETTINGS[name], name
        assert SETTINGS[name]["help"], name
        # Copier puts a picture before the text.
        for line in f"== {SETTINGS[name]['help']}".splitlines():
            assert len(line) <= 80 or "{{" in line, f"{name}: {line!r} is cut off"


@pytest.mark.parametrize("name", ["pgbouncer", "kubernetes"])
def test_postgresql_options_require_postgresql(name: str) -> None:
    assert refusal(name, True, database="sqlite") == "needs PostgreSQL"  # noqa: FBT003


def test_template_needs_no_trust() -> None:
    assert not {"_tasks", "_migrations", "_jinja_extensions"} & SETTINGS.keys()


def test_all_defaults(template: Path, copie: Copie) -> None:
    copied = copie.copy(template_dir=template)
    assert copied.exit_code == 0, copied.exception
    answers = copied.answers
    assert {name: answers[name] for name in DEFAULTS} == DEFAULTS
    assert answers["resources"].startswith("user:\n  name: str(100)\n")


@pytest.mark.parametrize("auth", ["none", "tokens", "oidc"])
def test_the_default_tables_go_with_the_answer_before_them(auth: str) -> None:
    text = Renderer().answers({"auth": auth})["resources"]
    reader = load_macros("resources")
    assert reader.check(text, auth) == ""
    found = {each["access"] for each in json.loads(reader.read(text))["resources"]}
    assert found == ({"private"} if auth == "none" else {"private", "shared", "public"})


@pytest.mark.parametrize(("name", "answer"), GOOD)
def test_good_answer(name: str, answer: str) -> None:
    assert refusal(name, answer) == ""


@pytest.mark.parametrize(("name", "answer", "words"), BAD)
def test_bad_answer_is_refused_within_eighty_columns(name: str, answer: Any, words: str) -> None:
    shown = f"Validation error for question '{name}': {refusal(name, answer)}"
    assert words in shown[:80]


def test_the_slug_of_a_project_stays() -> None:
    last_time = {"project_slug": "my-backend"}
    assert refusal("project_slug", "my-backend", last_time=last_time) == ""
    assert "keep my-backend" in refusal("project_slug", "night-library", last_time=last_time)


@pytest.mark.parametrize(("name", "slug"), SLUGS.items())
def test_slug(name: str, slug: str) -> None:
    assert load_macros("answers").slug(name) == slug


@pytest.mark.parametrize("answer", [{"project_slug": "My Backend"}, {"mode": "both"}])
def test_nothing_is_written_after_a_bad_answer(
    answer: dict[str, str], template: Path, tmp_path: Path
) -> None:
    target = tmp_path / "project"
    with pytest.raises(ValueError, match=r"Validation error|Invalid choice"):
        copier.run_copy(str(template), target, data=answer, defaults=True, quiet=True)
    assert not target.exists()


def test_the_code_of_the_template_itself_is_clean() -> None:
    run(["ruff", "format", "--check", "--quiet", "."], ROOT)
    run(["ruff", "check", "--quiet", "."], ROOT)
