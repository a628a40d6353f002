"""A release is one version, in every place that names it, and one tag."""

import tomllib

from macros import load_macros
from projects import ROOT, git
from updating import released


def version_of(text: str) -> tuple[int, ...]:
    """Return a version as numbers."""
    return tuple(int(part) for part in text.split("."))


def test_newest_release_in_the_changelog_is_the_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert released()[0] == project["version"]


def test_the_changelog_goes_from_the_newest_to_the_oldest() -> None:
    versions = [version_of(version) for version in released()]
    assert versions == sorted(set(versions), reverse=True)


def test_every_release_says_what_it_asks_of_a_project() -> None:
    told = [release["version"] for release in load_macros("releases").RELEASES]
    assert told == released()[::-1]


def test_every_tag_is_a_release_in_the_changelog_and_has_a_commit_of_its_own() -> None:
    tags = git(ROOT, "tag", "--list", "v*").split()
    assert {tag.removeprefix("v") for tag in tags} <= set(released())
    commits = [git(ROOT, "rev-parse", f"{tag}^{{commit}}") for tag in tags]
    assert len(commits) == len(set(commits))


def test_every_release_but_the_newest_has_its_tag() -> None:
    tags = git(ROOT, "tag", "--list", "v*").split()
    assert set(released()[1:]) <= {tag.removeprefix("v") for tag in tags}


def test_a_tagged_release_has_its_own_version() -> None:
    for tag in git(ROOT, "tag", "--list", "v*").split():
        text = git(ROOT, "show", f"{tag}:pyproject.toml")
        assert tomllib.loads(text)["project"]["version"] == tag.removeprefix("v")
