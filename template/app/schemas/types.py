"""Types that the schemas share: each takes no more than its column holds."""

import math
from typing import Annotated, Any

from pydantic import AfterValidator, Field, JsonValue

Int32 = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
Int64 = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]

# Text ends at a NUL, or is refused for it, in databases and their tools.
Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]


def _storable(value: JsonValue) -> bool:
    """Tell whether a database can store this."""
    match value:
        case str():
            return "\0" not in value and not any("\ud800" <= char <= "\udfff" for char in value)
        case float():
            return math.isfinite(value)
        case list():
            return all(map(_storable, value))
        case dict():
            return all(_storable(key) and _storable(item) for key, item in value.items())
        case _:
            return True


def _check_json(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if not _storable(value):
        msg = "NUL characters, lone surrogates, NaN and Infinity cannot be stored"
        raise ValueError(msg)
    return value


# The default of a field that a change may leave out, though it cannot be null: null is refused.
ABSENT: Any = None

JsonObject = Annotated[dict[str, JsonValue], AfterValidator(_check_json)]
