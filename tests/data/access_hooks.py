"""A check for schemathesis: no response shows rows of the other account."""

from typing import Any

import schemathesis


@schemathesis.check
def nothing_of_others(ctx: Any, response: Any, case: Any) -> None:
    """Look for names that only the other account has used."""
    assert ctx
    assert b"their secret" not in response.content, case.formatted_path
