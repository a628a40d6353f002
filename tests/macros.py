"""The macros in hooks/ and the files in template/, loaded as Copier loads them."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

import yaml
from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

ROOT = Path(__file__).parent.parent
SETTINGS: dict[str, Any] = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
# Questions about Copier's own state, which no rendered file uses.
OF_COPIER = {"last_time", "mismatched", "mismatch", "doomed", "delete_files"}
EACH = re.compile(r"\{% yield resource from (\S+) %\}\{\{ resource\.(\w+) \}\}\{% endyield %\}")


def environment() -> SandboxedEnvironment:
    """Return Jinja with the settings of copier.yml."""
    env = SandboxedEnvironment(
        loader=FileSystemLoader(ROOT),
        extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    env.globals["pathjoin"] = lambda *parts: str(PurePosixPath(*parts))
    return env


def load_macros(name: str) -> ModuleType:
    """Load the macros of `hooks/<name>.jinja`: functions that return text."""
    return environment().get_template(f"hooks/{name}.jinja").module


class Renderer:
    """Renders what is made from the resources, without the rest of what Copier does."""

    def __init__(self) -> None:
        """Load the questions and the templates that ask for the domain."""
        self.env = environment()
        self._questions = SETTINGS
        folder = ROOT / "template"
        self._paths = ["template/pyproject.toml.jinja"] + [
            path.relative_to(ROOT).as_posix()
            for path in sorted(folder.rglob("*.py.jinja"))
            if EACH.search(path.name) or "domain" in path.read_text(encoding="utf-8")
        ]

    def answers(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return these answers, and for all other questions their defaults."""
        known = dict(given)
        for name, question in self._questions.items():
            if name.startswith("_") or name in known or name in OF_COPIER:
                continue
            text = self.env.from_string(str(question["default"])).render(known)
            known[name] = text if question["type"] == "str" else yaml.safe_load(text)
        return known

    def render(self, given: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield the path of each such file, and its text."""
        answers = self.answers(given)
        for source in self._paths:
            path = source.removeprefix("template/").removesuffix(".jinja")
            template = self.env.get_template(source)
            if each := EACH.search(path):
                for resource in self.env.compile_expression(each[1])(**answers):
                    yield (
                        EACH.sub(resource[each[2]], path),
                        template.render(answers, resource=resource),
                    )
            elif Path(path := self.env.from_string(path).render(answers)).stem:
                yield path, template.render(answers)
