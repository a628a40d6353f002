"""An update to other answers gives what a fresh copy with those answers gives."""

from typing import Any

import pytest
import yaml

from conftest import Render
from projects import git, questions
from updating import RESOURCES, commit, unguarded, update
from variants import THOROUGH

MORE = (
    RESOURCES
    + """\
tag:
  name: str(50) unique
"""
)
# Answers that need accounts.
SHARED = MORE + "  _access: shared\n"
PUBLIC = MORE + "  _access: public\n"
# Lets an update delete the files of a resource that is gone.
ALL = "author, note, tag"
POOLED = {"pgbouncer": True}

# Pairs of sets of answers. A pair may change several answers if they affect different lines.
FLIPS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "texts": (
        {},
        {
            "project_name": "Night Library",
            "project_description": "Books that are lent by night.",
            "python_version": "3.13",
            "ci": "none",
        },
    ),
    "mode": ({}, {"mode": "sync"}),
    "database": ({}, {"database": "sqlite"}),
    "pgbouncer": ({}, POOLED),
    "the pooler's settings": (
        POOLED,
        {
            **POOLED,
            "pgbouncer_pool_mode": "session",
            "pgbouncer_default_pool_size": 7,
            "pgbouncer_max_client_conn": 321,
        },
    ),
    "soft_delete": ({}, {"soft_delete": True}),
    "auth": ({}, {"auth": "tokens"}),
    "resources": ({}, {"resources": MORE}),
    "kubernetes": (POOLED, {**POOLED, "kubernetes": True}),
}

# Each step changes several answers of the one before.
JOURNEY: list[dict[str, Any]] = [
    {},
    {"mode": "sync", "database": "sqlite"},
    {"mode": "sync", "database": "postgresql", "pgbouncer": True},
    {
        "soft_delete": True,
        "pgbouncer": True,
        "pgbouncer_pool_mode": "session",
        "kubernetes": True,
    },
    {"soft_delete": True, "database": "sqlite", "ci": "none"},
    {"mode": "sync", "soft_delete": True, "resources": MORE},
    {"mode": "sync", "soft_delete": True, "database": "sqlite", "resources": MORE},
    {"database": "sqlite", "resources": "", "python_version": "3.12"},
    {"mode": "sync", "resources": MORE, "pgbouncer": True, "project_name": "Day Library"},
    {"soft_delete": True, "pgbouncer": True, "resources": MORE, "ci": "none"},
    {"mode": "sync", "soft_delete": True, "pgbouncer": True, "python_version": "3.14"},
    {"auth": "tokens", "soft_delete": True, "resources": SHARED},
    {"auth": "oidc", "database": "sqlite", "mode": "sync", "resources": PUBLIC},
    {"auth": "tokens", "mode": "sync", "pgbouncer": True, "resources": MORE},
    {"database": "sqlite", "resources": MORE},
    {},
]

# Answers that are asked, so that what a step does not name goes back to its default.
DEFAULTS: dict[str, Any] = {
    "project_name": "My Backend",
    "project_slug": "my-backend",
    "project_description": "A REST API built with FastAPI and SQLAlchemy.",
    "mode": "async",
    "database": "postgresql",
    "pgbouncer": False,
    "soft_delete": False,
    "auth": "none",
    "resources": RESOURCES,
    "python_version": "3.11",
    "kubernetes": False,
    "ci": "github",
}
POOL_DEFAULTS = {
    "pgbouncer_pool_mode": "transaction",
    "pgbouncer_default_pool_size": 20,
    "pgbouncer_max_client_conn": 1000,
}


def complete(answers: dict[str, Any]) -> dict[str, Any]:
    """Return all answers, those of the pooler only where it is asked for."""
    whole = {**DEFAULTS, **answers}
    if whole["database"] == "sqlite":
        whole.pop("pgbouncer")
        whole.pop("kubernetes")
    return {**POOL_DEFAULTS, **whole} if whole.get("pgbouncer") else whole


@pytest.mark.parametrize("flip", FLIPS)
def test_a_changed_answer_gives_what_a_fresh_copy_gives(flip: str, render: Render) -> None:
    before, after = (complete(answers) for answers in FLIPS[flip])
    project = commit(render(**before))
    original = unguarded(project)
    update(project, **after, delete_files=ALL)
    commit(fresh := render("fresh", **after))
    assert unguarded(project) == unguarded(fresh)
    commit(project)
    update(project, **before, delete_files=ALL)
    assert unguarded(project) == original


def test_many_changed_answers_give_what_a_fresh_copy_gives(
    render: Render,
) -> None:
    journey = JOURNEY if THOROUGH else JOURNEY[::2]
    project = commit(render(**complete(journey[0])))
    for number, step in enumerate(journey[1:], start=1):
        after = complete(step)
        update(project, **after, delete_files=ALL)
        commit(project)
        commit(fresh := render(f"fresh {number}", **after))
        assert unguarded(project) == unguarded(fresh), f"after step {number}"


def test_an_update_that_changes_nothing_leaves_no_trace(render: Render) -> None:
    project = commit(render())
    update(project)
    assert git(project, "status", "--porcelain") == ""


def test_the_answers_file_holds_every_answer(rendered: Render) -> None:
    text = (rendered(**complete(POOLED)) / ".copier-answers.yml").read_text(encoding="utf-8")
    assert yaml.safe_load(text).keys() - {"_commit", "_src_path"} == questions() - {
        "delete_files",
        "mismatch",
    }


def test_the_answers_file_has_no_spaces_at_the_end_of_a_line(rendered: Render) -> None:
    tables = "\n\nnote:  \n  title: str(20)   # \n\n  body: text \n  \n"
    text = (rendered(resources=tables) / ".copier-answers.yml").read_text(encoding="utf-8")
    assert text.endswith("|2-\n  note:\n    title: str(20)   #\n\n    body: text\n")


def test_every_question_is_flipped() -> None:
    # The slug stays: test_questions.py.
    flipped = {name for _before, after in FLIPS.values() for name in after}
    assert flipped | {"delete_files", "mismatch", "project_slug"} == questions()
