"""The format of the log."""

import json
import logging
import re
import traceback

import pytest
import sqlalchemy as sa
from app.logs import JsonFormatter, format_exception
from sqlalchemy.exc import NoSuchModuleError


def test_traceback_has_the_frames_of_the_project_and_the_innermost() -> None:
    with pytest.raises(NoSuchModuleError) as raised:
        sa.create_engine("unknown://")
    text = format_exception(raised.value)
    *outer, innermost = traceback.extract_tb(raised.value.__traceback__)
    assert len(outer) > 2
    own, last = re.findall(r'File "(.+)", line \d+, in (\w+)', text)
    assert own == (__file__, "test_traceback_has_the_frames_of_the_project_and_the_innermost")
    assert last == (innermost.filename, innermost.name)


def test_causes_in_a_circle_and_groups_are_logged() -> None:
    error, cause = RuntimeError("failed"), ValueError("cause")
    error.__cause__, cause.__cause__ = cause, error
    group = ExceptionGroup("group", [error, ExceptionGroup("inner", [KeyError("member")])])
    text = format_exception(group)
    for line in ("RuntimeError: failed", "ValueError: cause", "KeyError: 'member'"):
        assert text.count(line) == 1


def test_field_without_a_name_does_not_lose_the_line() -> None:
    record = logging.makeLogRecord({"msg": "here", "fields": {("a", "b"): 1, "kept": 2}})
    line = json.loads(JsonFormatter().format(record))
    assert (line["message"], line["kept"]) == ("here", 2)
