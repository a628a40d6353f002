"""Shared field types, bounded to what the columns can store."""

import datetime as dt
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Annotated, Any

from annotated_types import GroupedMetadata
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    EmailStr,
    Field,
    JsonValue,
    PlainSerializer,
    Strict,
    WithJsonSchema,
)

# Default of a field that may be omitted from an update but must not be null.
ABSENT: Any = Field(default_factory=lambda: None)

Int32 = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
Int64 = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]

# In JSON bodies `true` and `"1"` are not numbers.
StrictInt32 = Annotated[Int32, Strict()]
StrictInt64 = Annotated[Int64, Strict()]
StrictId = Annotated[Id, Strict()]
FiniteFloat = Annotated[float, Field(allow_inf_nan=False)]
StrictFloat = Annotated[FiniteFloat, Strict()]

# SQLite's tools truncate text at NUL characters.
TEXT, NON_BLANK = r"^[^\x00]*$", r"^[^\x00]*[^\s\x00][^\x00]*$"
Text = Annotated[str, Field(pattern=TEXT)]
NonBlank = Annotated[str, Field(pattern=NON_BLANK)]


def _refuse_display_name(value: Any) -> Any:
    if isinstance(value, str) and "<" in value:
        msg = "use an address without a display name"
        raise ValueError(msg)
    return value


# Stored and compared in lower case.
Email = Annotated[
    EmailStr,
    Field(max_length=320),
    BeforeValidator(_refuse_display_name),
    AfterValidator(str.lower),
]

# One day inside the range of datetime, so that converting to UTC cannot overflow.
_FIRST, _LAST = dt.date(1, 1, 2), dt.date(9999, 12, 30)


def _iso(pattern: str, example: str) -> BeforeValidator:
    """Return a validator that refuses what Pydantic also accepts, such as seconds since 1970."""

    def check(value: Any) -> Any:
        if isinstance(value, dt.date) or (isinstance(value, str) and re.match(pattern, value)):
            return value
        msg = f"use ISO 8601, such as {example}"
        raise ValueError(msg)

    return BeforeValidator(check)


def _check_date(value: dt.date) -> dt.date:
    if not _FIRST <= value <= _LAST:
        msg = f"use a date from {_FIRST} to {_LAST}"
        raise ValueError(msg)
    return value


def _to_utc(value: dt.datetime) -> dt.datetime:
    # Before the conversion, which must not overflow, and after it: the API accepts what it returns.
    _check_date(value.date())
    utc = value.astimezone(dt.UTC)
    _check_date(utc.date())
    return utc


_DAY = r"\d{4}-\d{2}-\d{2}"
Date = Annotated[dt.date, _iso(f"{_DAY}$", "2026-01-31"), AfterValidator(_check_date)]
Timestamp = Annotated[
    AwareDatetime,
    _iso(f"{_DAY}[Tt ]", "2026-01-31T12:00:00Z"),
    AfterValidator(_to_utc),
]


def _write_out(value: Decimal) -> str:
    return f"{value:f}"


# A decimal in responses: all its digits, never `1E-7`.
PlainDecimal = Annotated[
    Decimal,
    PlainSerializer(_write_out),
    WithJsonSchema({"type": "string", "examples": ["1.50"]}),
]


def _refuse_inexact(value: Any) -> Any:
    # Decimal accepts `1_0`, and digits of any script.
    odd = isinstance(value, str) and ("_" in value or not value.isascii())
    if odd or isinstance(value, bool):
        msg = "use a number or a string of digits"
        raise ValueError(msg)
    if isinstance(value, float) and len(Decimal(repr(value)).as_tuple().digits) > 15:
        msg = "use a string: JSON numbers are exact to 15 digits only"
        raise ValueError(msg)
    return value


@dataclass(frozen=True)
class Digits(GroupedMetadata):
    """Marks a decimal with the precision and scale of its column."""

    precision: int
    scale: int

    def __iter__(self) -> Iterator[object]:
        """Yield the constraints, the validators and the JSON schema."""
        pattern = "^-?[0-9]{1," + str(max(self.precision - self.scale, 1)) + "}"
        if self.scale:
            pattern += r"(\.[0-9]{1," + str(self.scale) + "})?"
        schema = {
            "anyOf": [{"type": "number"}, {"type": "string", "pattern": f"{pattern}$"}],
            "examples": [f"{Decimal(1).scaleb(-self.scale):f}"],
        }
        yield Field(max_digits=self.precision, decimal_places=self.scale)
        yield BeforeValidator(_refuse_inexact)
        yield AfterValidator(self._quantize)
        yield WithJsonSchema(schema)

    def _quantize(self, value: Decimal) -> Decimal:
        """Write all decimal places, as the database does."""
        return value.quantize(Decimal(1).scaleb(-self.scale), context=Context(prec=self.precision))


# Pydantic writes at most 255, those of the response around the value included.
_MAX_LEVELS = 200


def _is_storable(value: JsonValue, level: int = 0) -> bool:
    """Return whether a database can store this, and a response can show it."""
    if level > _MAX_LEVELS:
        return False
    match value:
        case str():
            return "\0" not in value and not any("\ud800" <= char <= "\udfff" for char in value)
        case float():
            return math.isfinite(value)
        case list():
            return all(_is_storable(item, level + 1) for item in value)
        case dict():
            items = value.items()
            return all(_is_storable(key) and _is_storable(item, level + 1) for key, item in items)
        case _:
            return True


def _check_json(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if not _is_storable(value):
        msg = (
            "NUL characters, lone surrogates, NaN, Infinity and more than"
            f" {_MAX_LEVELS} levels cannot be stored"
        )
        raise ValueError(msg)
    return value


JsonObject = Annotated[dict[str, JsonValue], AfterValidator(_check_json)]
