"""Projects as their owners have them: in git, edited, and updated with answers old and new."""

import re
from pathlib import Path
from typing import Any

import copier

from projects import ROOT, git

# Rendered once; from then on these belong to the project.
GUARDED = ("migrations/versions/", "README.md", "uv.lock")

# What the projects of these tests are about, unless told otherwise.
RESOURCES = """\
author:
  name: str(120)
  email: email unique
note:
  title: str(100) index
  mood: enum(good, bad) default=good
  author: ref(author) as=notes
"""


def released() -> list[str]:
    """Return the versions that the changelog lists, the newest first."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    return re.findall(r"^## (\d+\.\d+\.\d+)$", text, re.MULTILINE)


def files(project: Path) -> dict[str, str]:
    """Return the text of all files that git would see, by their path."""
    listed = git(project, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    return {
        name: (project / name).read_text(encoding="utf-8")
        for name in sorted(filter(None, listed.split("\0")))
        if (project / name).is_file()
    }


def unguarded(project: Path) -> dict[str, str]:
    """Return the files that an update keeps equal to a fresh copy."""
    return {name: text for name, text in files(project).items() if not name.startswith(GUARDED)}


def commit(project: Path, message: str = "Change") -> Path:
    """Commit all of a project, which becomes a repository if it is none."""
    if not (project / ".git").exists():
        git(project, "init", "--quiet", "--initial-branch=main")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--allow-empty", "--message", message)
    return project


def update(project: Path, *, to: str | None = None, **answers: Any) -> Path:
    """Update a project as `copier update --defaults` does; change answers, or the release."""
    copier.run_update(
        project,
        data=answers,
        defaults=True,
        overwrite=True,
        quiet=True,
        vcs_ref=to or copier.VcsRef.CURRENT,
    )
    return project


def conflicts(project: Path) -> list[str]:
    """Return the files with conflicts, as git lists them after an update."""
    return git(project, "diff", "--name-only", "--diff-filter=U").splitlines()


def edit(project: Path, path: str, *changes: tuple[str, str]) -> None:
    """Replace texts in a file, each of which must be there."""
    file = project / path
    text = file.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, f"{path} has no {old!r}"
        text = text.replace(old, new, 1)
    file.write_text(text, encoding="utf-8")


def append(project: Path, path: str, text: str) -> None:
    """Add text at the end of a file."""
    with (project / path).open("a", encoding="utf-8") as file:
        file.write(text)


def invite(project: Path, path: str, number: int, text: str) -> None:
    """Insert text below one of the comments that invite the owner's own lines, counted from 0."""
    file = project / path
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    places = [place for place, line in enumerate(lines, 1) if "below this line" in line]
    assert places[number:], f"{path} has {len(places)} lines that invite the owner's own"
    lines.insert(places[number], text)
    file.write_text("".join(lines), encoding="utf-8")
