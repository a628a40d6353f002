"""How long `copier copy` and `copier update` take, and where the time goes."""

import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from machine import ENVIRONMENT, copy_command, run, things


def commands(folder: Path, template: Path) -> dict[str, tuple[list[object], Path | None]]:
    """Return each command, and the project that it updates."""
    default, many = folder / "default", folder / "many"
    for project, answers in ((default, {}), (many, {"resources": things(50)})):
        run(*copy_command(template, project, **answers), cwd=template)
        run("git", "init", "--quiet", cwd=project)
        run("git", "add", "--all", cwd=project)
        run("git", "commit", "--quiet", "--message", "Render", cwd=project)
    copier = copy_command(template, default)[0]
    update = [copier, "update", "--quiet", "--defaults"]
    one_more = f"--data=resources={things(51)}"
    return {
        "copy, defaults": (copy_command(template, folder / "new"), None),
        "copy, 50 resources": (
            copy_command(template, folder / "new", resources=things(50)),
            None,
        ),
        "update, defaults, soft_delete turned on": (
            [*update, "--data=soft_delete=true", default],
            default,
        ),
        "update, 50 resources, one added": ([*update, one_more, many], many),
    }


def measure(folder: Path, template: Path, rounds: int) -> Iterator[dict[str, Any]]:
    """Measure each command, several times, and once more for where the time goes."""
    folder = folder / "generated"
    folder.mkdir()
    for name, (command, project) in commands(folder, template).items():
        print(f"  {name}", flush=True)
        for turn in range(rounds):
            renew(folder, project)
            start, cpu = time.perf_counter(), children_cpu()
            run(*command, cwd=folder)
            yield {
                "name": name,
                "turn": turn,
                "seconds": time.perf_counter() - start,
                "cpu": children_cpu() - cpu,
            }
        renew(folder, project)
        done = subprocess.run(
            [sys.executable, __file__, *map(str, command[1:])],
            cwd=folder,
            env=ENVIRONMENT | {"STARTED": repr(time.time())},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        yield {"name": name, "parts": json.loads(done.stdout.splitlines()[-1])}


def renew(folder: Path, project: Path | None) -> None:
    """Undo what a command did."""
    if project:
        run("git", "reset", "--quiet", "--hard", cwd=project)
        run("git", "clean", "--quiet", "--force", "-d", cwd=project)
    else:
        run("rm", "-rf", folder / "new", cwd=folder)


def children_cpu() -> float:
    """Return the CPU seconds of all child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


# --- Inside Copier's process


class Clock:
    """Seconds by part of the program, each without those of the parts it calls."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self.stack = ["Copier itself"]
        self.since = time.perf_counter()

    def switch(self) -> None:
        """Add the time since the last switch to the present part."""
        now = time.perf_counter()
        self.seconds[self.stack[-1]] += now - self.since
        self.since = now

    def wrap(self, owner: Any, name: str, part: str) -> None:
        """Count the time in a function as a part's."""
        function: Callable[..., Any] = getattr(owner, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            self.switch()
            # Git for each file stays what it is, down to the program that runs.
            self.stack.append(part if self.stack[-1] != "git, per file" else self.stack[-1])
            try:
                return function(*args, **kwargs)
            finally:
                self.switch()
                self.stack.pop()

        setattr(owner, name, timed)


def main() -> None:
    """Run Copier with a clock in it."""
    import jinja2
    from copier._cli import CopierApp
    from copier._main import Worker
    from plumbum.commands.base import BaseCommand

    clock = Clock()
    clock.seconds["start of Python, imports"] = time.time() - float(os.environ["STARTED"])
    clock.wrap(jinja2.Environment, "compile", "Jinja compiles")
    clock.wrap(jinja2.Template, "render", "Jinja renders")
    clock.wrap(Worker, "_sync_git_index_executable_bit", "git, per file")
    clock.wrap(BaseCommand, "run", "git, else")
    _app, status = CopierApp.run(["copier", *sys.argv[1:]], exit=False)
    clock.switch()
    print(json.dumps(clock.seconds))
    sys.exit(status)


if __name__ == "__main__":
    main()
