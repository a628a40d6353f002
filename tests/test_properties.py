"""Any accepted answer becomes a working project: random answers, in random variants."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from conftest import Environment, Render
from macros import Renderer
from projects import check, run
from strategies import legal_texts
from variants import VARIANTS

# See CONTRIBUTING.md. An example is a project, so nothing is run again to make it smaller.
settings.register_profile("quick", max_examples=8, derandomize=True)
settings.register_profile("thorough", max_examples=200, derandomize=False)
PROFILE = settings(
    settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick")),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)

# The parts of a project that depend on its tables: migrations equal to the models, every route.
SUITE = ["tests/test_migrations.py", "tests/routers"]


def answers(most: int) -> st.SearchStrategy[tuple[str, str]]:
    """Draw a variant, and tables that go with it."""
    return st.sampled_from(sorted(VARIANTS)).flatmap(
        lambda variant: st.tuples(
            st.just(variant), legal_texts(most=most, access=VARIANTS[variant]["auth"] != "none")
        )
    )


@PROFILE
@given(answer=answers(most=3))
def test_a_random_answer_makes_a_project_that_works(
    answer: tuple[str, str], rendered: Render, environment: Environment
) -> None:
    variant, text = answer
    project = rendered(resources=text, **VARIANTS[variant])
    try:
        check(project, environment(project), *SUITE)
    except pytest.fail.Exception as error:
        pytest.fail(f"{variant}:\n{text}\n{error}", pytrace=False)


def test_random_answers_make_code_as_its_formatter_and_linter_want_it(tmp_path: Path) -> None:
    renderer = Renderer()
    projects: list[Path] = []

    @settings(PROFILE, max_examples=40 * PROFILE.max_examples)
    @given(answer=answers(most=5))
    def write(answer: tuple[str, str]) -> None:
        variant, text = answer
        project = tmp_path / f"{len(projects)}"
        projects.append(project)
        for name, code in renderer.render({"resources": text, **VARIANTS[variant]}):
            file = project / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(code, encoding="utf-8")
        (project / "resources.yml").write_text(text, encoding="utf-8")

    write()
    run(["ruff", "format", "--diff", "--quiet", "."], tmp_path)
    # Only these files are here, without the packages they belong to.
    packages = 'lint.isort.known-first-party = ["app", "migrations", "tests"]'
    options = ["--quiet", "--no-cache", "--extend-ignore=INP001", "--config", packages]
    run(["ruff", "check", *options, "."], tmp_path)
