"""Draw docs/questionnaire.svg: `uv run --with pyte --with rich docs/questionnaire.py`.

It answers the questionnaire at a terminal, Enter all the way, and keeps the last screen.
"""

import os
import re
import sys
import tempfile
from pathlib import Path

import pexpect
import pyte
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from terminal import QUESTIONS  # noqa: E402

COLUMNS, ROWS = 90, 70


def capture() -> pyte.Screen:
    """Answer every question; return the screen as it is before the project is written."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.Stream(screen)
    with tempfile.TemporaryDirectory() as folder:
        child = pexpect.spawn(
            "copier",
            ["copy", "--vcs-ref=HEAD", "--pretend", str(ROOT), f"{folder}/my-backend"],
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
            dimensions=(ROWS, COLUMNS),
            encoding="utf-8",
            timeout=30,
        )
        for text, keys in QUESTIONS:
            child.expect_exact(text)
            stream.feed(child.before + child.after)
            child.send(keys)
        child.expect(["Copying", pexpect.EOF])
        stream.feed(child.before)
        child.close()
    return screen


def draw(screen: pyte.Screen) -> None:
    """Write the screen as a picture."""
    lines = [line.rstrip() for line in screen.display]
    while lines and not lines[-1]:
        lines.pop()
    console = Console(record=True, width=COLUMNS, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    for number, line in enumerate(lines):
        text = Text()
        for column, letter in enumerate(line):
            cell = screen.buffer[number][column]
            color = (
                f"#{cell.fg}" if len(cell.fg) == 6 else None if cell.fg == "default" else cell.fg
            )
            text.append(letter, style=f"{'bold ' if cell.bold else ''}{color or ''}".strip())
        console.print(text, soft_wrap=True)
    picture = console.export_svg(title="copier copy")
    # No fonts from elsewhere: a picture in a README can load none.
    picture = re.sub(r"@font-face \{.*?\}|<!-- .*? -->", "", picture, flags=re.DOTALL)
    picture = "\n".join(line.rstrip() for line in picture.splitlines() if line.strip())
    (ROOT / "docs" / "questionnaire.svg").write_text(f"{picture}\n", encoding="utf-8")


if __name__ == "__main__":
    draw(capture())
