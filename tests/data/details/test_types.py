"""Field types refuse what the columns cannot store, and normalise the rest."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any

import pytest
from app.schemas import types
from pydantic import TypeAdapter, ValidationError

TWO_PLACES = Annotated[Decimal, types.Digits(5, 2)]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (types.Text, "\0"),
        (types.NonBlank, " \n"),
        (types.Email, "nobody"),
        (types.Email, "Ann <ann@example.com>"),
        (types.StrictInt32, 2**31),
        (types.StrictInt32, True),
        (types.StrictInt64, 2**63),
        (types.StrictInt64, "1"),
        (types.StrictId, 0),
        (types.StrictFloat, float("nan")),
        (types.StrictFloat, "1"),
        (types.Date, "9999-12-31"),
        (types.Date, 0),
        (types.Date, "2026-01-01T00:00:00"),
        (types.Timestamp, "2026-01-01T00:00:00"),
        (types.Timestamp, "0001-01-01T00:00:00Z"),
        (types.Timestamp, "0001-01-01T00:00:00+14:00"),
        (types.Timestamp, "0001-01-02T00:00:00+23:59"),
        (types.Timestamp, "9999-12-30T23:59:59-23:59"),
        (types.Timestamp, 1_700_000_000),
        (types.JsonObject, {"text": ["\0"]}),
        (types.JsonObject, "text"),
        (TWO_PLACES, "1000"),
        (TWO_PLACES, "0.001"),
        (TWO_PLACES, "NaN"),
        (TWO_PLACES, "1_0"),
        (TWO_PLACES, "\u0661"),
        (TWO_PLACES, True),
        (Annotated[Decimal, types.Digits(20, 4)], 1234567890123456.7891),
    ],
)
def test_invalid_value_is_refused(kind: Any, value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("kind", "value", "normal"),
    [
        (types.Email, "Ann@Example.COM", "ann@example.com"),
        (types.Timestamp, "2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00Z"),
        (TWO_PLACES, "1E+2", "100.00"),
        (TWO_PLACES, 1.5, "1.50"),
        (types.PlainDecimal, "0E-8", "0.00000000"),
    ],
)
def test_value_is_normalised(kind: Any, value: object, normal: str) -> None:
    adapter = TypeAdapter(kind)
    assert adapter.dump_python(adapter.validate_python(value), mode="json") == normal


def test_timestamp_is_in_utc() -> None:
    value = TypeAdapter(types.Timestamp).validate_python("2026-01-01T02:00:00+02:00")
    assert value.tzinfo is dt.UTC
