"""Render the examples: `uv run python examples/render.py`."""

import shutil
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import copier
from copier.errors import DirtyLocalWarning

ROOT = Path(__file__).parent.parent
EXAMPLES: dict[str, dict[str, Any]] = {
    "shop": {
        "project_name": "Shop",
        "project_description": "Orders of a small shop.",
        "pgbouncer": True,
        "soft_delete": True,
        "kubernetes": True,
        "resources": """\
customer:
  name: str(120)
  email: email unique
product:
  sku: str(40) unique
  name: str(200)
  price: decimal(10, 2)
  is_available: bool default=true
order:
  number: str(20) unique
  status: enum(pending, paid, shipped, cancelled) default=pending
  customer: ref(customer) as=orders
  placed_at: datetime index
order_line:
  order: ref(order) on_delete=cascade as=lines
  product: ref(product)
  quantity: int
  _unique: [order, product]
""",
    },
    "notes": {
        "project_name": "Notes",
        "project_description": "Notes with tags.",
        "mode": "sync",
        "database": "sqlite",
        "resources": """\
note:
  title: str(200)
  body: text optional
  is_pinned: bool default=false
tag:
  name: str(50) unique
note_tag:
  note: ref(note) on_delete=cascade as=tags
  tag: ref(tag) on_delete=cascade
  _unique: [note, tag]
""",
    },
}
# Depends on where the template is, and on its commit.
ANSWERS = ".copier-answers.yml"


def render(name: str, folder: Path) -> None:
    """Render one example of the working tree into an empty folder."""
    with warnings.catch_warnings(action="ignore", category=DirtyLocalWarning):
        copier.run_copy(
            str(ROOT), folder, data=EXAMPLES[name], defaults=True, quiet=True, vcs_ref="HEAD"
        )
    (folder / ANSWERS).unlink()


def main() -> None:
    """Replace all examples."""
    for name in sys.argv[1:] or EXAMPLES:
        with tempfile.TemporaryDirectory() as temporary:
            render(name, Path(temporary) / name)
            target = ROOT / "examples" / name
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(Path(temporary) / name, target)


if __name__ == "__main__":
    main()
