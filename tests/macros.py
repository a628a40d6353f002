"""The macros in hooks/, loaded as Copier loads them."""

from pathlib import Path, PurePosixPath
from types import ModuleType

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

ROOT = Path(__file__).parent.parent


def load_macros(name: str) -> ModuleType:
    """Load the macros of `hooks/<name>.jinja`: functions that return text."""
    env = SandboxedEnvironment(
        loader=FileSystemLoader(ROOT),
        extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    env.globals["pathjoin"] = lambda *parts: str(PurePosixPath(*parts))
    return env.get_template(f"hooks/{name}.jinja").module
