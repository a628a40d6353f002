"""The questionnaire at a real terminal."""

import os
from pathlib import Path

import pexpect

# How to recognise each question, and the keys that accept its default; in a multi-line answer,
# Enter alone would add a line.
QUESTIONS = [
    ("Project name", "\r"),
    ("Short name", "\r"),
    ("One sentence", "\r"),
    ("Async or sync", "\r"),
    ("Which database", "\r"),
    ("PgBouncer between", "\r"),
    ("Soft delete", "\r"),
    ("Accounts, and", "\r"),
    ("Finish with", "\x1b\r"),
    ("Minimum Python", "\r"),
    ("Kubernetes manifests", "\r"),
    ("CI provider", "\r"),
]


def answer(command: str, cwd: Path, *questions: tuple[str, str], **env: str) -> None:
    """Run a command at a terminal and answer its questions."""
    child = pexpect.spawn(
        "sh",
        ["-c", command],
        cwd=str(cwd),
        env={**os.environ, **env},
        encoding="utf-8",
        timeout=120,
    )
    for text, keys in questions:
        child.expect_exact(text)
        child.send(keys)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0, child.before
