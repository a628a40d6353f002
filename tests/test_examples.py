"""The examples are what the template renders."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from conftest import Render
from projects import ROOT


def load_script() -> ModuleType:
    """Import the script that renders the examples."""
    spec = importlib.util.spec_from_file_location("render", ROOT / "examples" / "render.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = load_script()


# Left behind by whoever works in an example.
WORK = {".dev", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".venv", "__pycache__", "uv.lock"}


def contents(folder: Path) -> dict[str, str]:
    """Return the text of all files by their path."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not WORK & set(path.parts)
    }


@pytest.mark.parametrize("name", SCRIPT.EXAMPLES)
def test_example_equals_a_fresh_render(name: str, rendered: Render) -> None:
    fresh = contents(rendered(**SCRIPT.EXAMPLES[name]))
    del fresh[SCRIPT.ANSWERS]
    assert contents(ROOT / "examples" / name) == fresh, "run uv run python examples/render.py"
