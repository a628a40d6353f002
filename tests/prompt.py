"""Answer the questions at a terminal, on any system: `python tests/prompt.py TEMPLATE PROJECT`."""

import sys
from typing import Any

from terminal import QUESTIONS


def spawn(*arguments: str) -> Any:
    """Run Copier at a terminal."""
    if sys.platform == "win32":
        from winpty import PtyProcess  # noqa: PLC0415
    else:
        from ptyprocess import PtyProcessUnicode as PtyProcess  # noqa: PLC0415
    command = [sys.executable, "-m", "copier", "copy", "--vcs-ref=HEAD", *arguments]
    return PtyProcess.spawn(command, dimensions=(60, 80))


def main() -> int:
    """Accept the default of each question; return Copier's status."""
    copier = spawn(*sys.argv[1:])
    output = ""
    for text, keys in QUESTIONS:
        while text not in output:
            output += copier.read()
        output = output.partition(text)[2]
        copier.write(keys)
    try:
        while True:
            output += copier.read()
    except EOFError:
        sys.stdout.write(output)
    return int(copier.wait())


if __name__ == "__main__":
    sys.exit(main())
