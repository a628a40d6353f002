"""Sets of answers: every variant of the code, and examples of the `resources` answer."""

import os
from collections.abc import Iterator
from itertools import product
from typing import Any

from projects import DATA

DOMAINS = DATA / "domains"

BACKENDS: dict[str, dict[str, Any]] = {
    "sqlite": {"database": "sqlite"},
    "postgresql": {"database": "postgresql"},
    "pgbouncer": {"database": "postgresql", "pgbouncer": True},
}
# See CONTRIBUTING.md.
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"

# Without accounts, for tests that call routes as anyone.
OPEN: dict[str, dict[str, Any]] = {
    f"{mode}-{backend}{'-soft' if soft_delete else ''}": {
        "mode": mode,
        **BACKENDS[backend],
        "soft_delete": soft_delete,
        "auth": "none",
    }
    for mode, backend, soft_delete in product(("async", "sync"), BACKENDS, (False, True))
}
# Those that reach their database without a pooler.
DIRECT = [name for name in OPEN if "pgbouncer" not in name]
# Every pair of a mode, a database and soft delete.
PAIRED = ["async-postgresql", "sync-postgresql-soft", "async-sqlite-soft", "sync-sqlite"]
AUTH = ["none", "tokens", "oidc"]
# One `auth` for each, so that it meets every other answer; all of them on request.
VARIANTS: dict[str, dict[str, Any]] = {
    name if auth == "none" else f"{name}-{auth}": {**answers, "auth": auth}
    for place, (name, answers) in enumerate(OPEN.items())
    for number, auth in enumerate(AUTH)
    if THOROUGH or number == (place // 6 + place // 2 + place % 2) % 3
}


def domain(name: str) -> str:
    """Return an example of a `resources` answer."""
    return (DOMAINS / f"{name}.yml").read_text(encoding="utf-8")


def example(name: str, variant: str) -> dict[str, Any]:
    """Return the answers of a variant with the tables of an example."""
    tables = {} if name == "default" else {"resources": domain(name)}
    return {**VARIANTS[variant], **tables}


def fits(name: str, variant: str) -> bool:
    """Return whether an example can be rendered: `_access` needs accounts."""
    answers = example(name, variant)
    return answers["auth"] != "none" or "_access" not in answers.get("resources", "")


def spread(examples: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each variant with the example that was used least recently."""
    for variant in VARIANTS:
        name = next(name for name in examples if fits(name, variant))
        examples.remove(name)
        examples.append(name)
        yield name, variant


# Every example in at least one variant, and every variant with an example; all pairs on request.
EXAMPLES = [*sorted(path.stem for path in DOMAINS.glob("*.yml")), "default"]
SPREAD: list[tuple[str, str]] = (
    [pair for pair in product(EXAMPLES, VARIANTS) if fits(*pair)]
    if THOROUGH
    else [*spread([*EXAMPLES])]
)
