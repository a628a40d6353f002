"""Whatever the reader takes becomes a project that works: random answers, in random variants."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from conftest import Render, run
from strategies import legal_texts
from test_variants import VARIANTS

# See CONTRIBUTING.md. An example is a project, so nothing is run again to make it smaller.
settings.register_profile("quick", max_examples=12, derandomize=True)
settings.register_profile("thorough", max_examples=200, derandomize=False)
PROFILE = settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# What of a project depends on its tables: migrations equal to the models, and every route.
SUITE = ["tests/test_migrations.py", "tests/routers"]


@settings(
    PROFILE,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(text=legal_texts(most=3), variant=st.sampled_from(sorted(VARIANTS)))
def test_a_random_answer_makes_a_project_that_works(
    text: str, variant: str, rendered: Render, environment: Callable[[Path], Path]
) -> None:
    project = rendered(resources=text, **VARIANTS[variant])
    python = environment(project)
    try:
        run([str(python.parent / "ruff"), "format", "--check", "--quiet", "."], project)
        run([str(python.parent / "ruff"), "check", "--quiet", "."], project)
        run([str(python), "-m", "pytest", "-q", *SUITE], project)
    except pytest.fail.Exception as error:
        pytest.fail(f"{variant}:\n{text}\n{error}", pytrace=False)
