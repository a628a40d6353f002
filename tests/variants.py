"""Sets of answers: every variant of the code, and examples of the `resources` answer."""

import os
from itertools import product
from typing import Any

from projects import DATA

DOMAINS = DATA / "domains"

BACKENDS: dict[str, dict[str, Any]] = {
    "sqlite": {"database": "sqlite"},
    "postgresql": {"database": "postgresql"},
    "pgbouncer": {"database": "postgresql", "pgbouncer": True},
}
VARIANTS: dict[str, dict[str, Any]] = {
    f"{mode}-{backend}{'-soft' if soft_delete else ''}": {
        "mode": mode,
        **BACKENDS[backend],
        "soft_delete": soft_delete,
    }
    for mode, backend, soft_delete in product(("async", "sync"), BACKENDS, (False, True))
}

# See CONTRIBUTING.md.
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"


def domain(name: str) -> str:
    """Return an example of a `resources` answer."""
    return (DOMAINS / f"{name}.yml").read_text(encoding="utf-8")


# Every example in at least one variant, and every variant with an example; all pairs on request.
EXAMPLES = sorted(path.stem for path in DOMAINS.glob("*.yml"))
SPREAD: list[tuple[str, str]] = (
    list(product(EXAMPLES, VARIANTS))
    if THOROUGH
    else [(EXAMPLES[index % len(EXAMPLES)], variant) for index, variant in enumerate(VARIANTS)]
)
