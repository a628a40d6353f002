"""What each layer may import: nothing from the layers above it."""

import ast
from pathlib import Path

import pytest

APP = Path(__file__).parent.parent / "app"
FORBIDDEN = {
    "crud": ("fastapi", "starlette", "app.routers", "app.errors", "app.db.session"),
    "schemas": ("fastapi", "starlette", "sqlalchemy", "app.db", "app.crud", "app.routers"),
    "routers": ("sqlalchemy",),
    "db/models": ("fastapi", "starlette", "pydantic", "app.schemas", "app.crud", "app.routers"),
}


def imported(path: Path) -> set[str]:
    """Return the names of all modules that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize("layer", FORBIDDEN)
def test_a_layer_imports_nothing_from_above(layer: str) -> None:
    for path in (APP / layer).rglob("*.py"):
        for name in imported(path):
            for forbidden in FORBIDDEN[layer]:
                assert not f"{name}.".startswith(f"{forbidden}."), f"{path.name} imports {name}"
