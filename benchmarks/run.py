"""Measure the rendered projects against what people write by hand, and the generator.

    uv run --group bench benchmarks/run.py --quick     a few minutes
    uv run --group bench benchmarks/run.py             the record; the machine should be idle

Writes results.md and plots/ beside this file. See README.md for how it measures.
"""

import argparse
import itertools
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import generator
import report
from machine import (
    ROOT,
    TOKEN,
    Pgbouncer,
    Postgres,
    Server,
    commit_template,
    describe,
    load,
    render,
    run,
    seed,
    serve,
    things,
)

# The application of a rendered project.
OURS = "app.main:create_app"

RAW = Path(__file__).parent / "results.json"


@dataclass(frozen=True)
class Profile:
    """How much is measured."""

    rounds: int
    seconds: float
    rows: int
    sizes: tuple[int, ...]
    generator_rounds: int
    warmup: float = 0.3
    clients: int = 16


QUICK = Profile(
    rounds=3, seconds=0.6, rows=10_000, sizes=(1_000, 10_000, 100_000), generator_rounds=2
)
FULL = Profile(
    rounds=7,
    seconds=1.0,
    rows=100_000,
    sizes=(1_000, 10_000, 100_000, 1_000_000),
    generator_rounds=5,
)


@dataclass(frozen=True)
class Work:
    """One kind of request; `{n}` stands for a number from 1 to `choices`."""

    name: str
    path: str
    choices: int = 1
    method: str = "GET"
    body: str = ""
    status: int = 200

    def requests(self, count: int = 500) -> list[tuple[str, str, str]]:
        """Return requests to send in turn, the same in each run."""
        generator = random.Random(11)  # noqa: S311
        numbers = [generator.randint(1, self.choices) for _ in range(count)]
        return [
            (
                self.method,
                self.path.replace("{n}", str(number)),
                self.body.replace("{n}", str(number)),
            )
            for number in numbers
        ]


POST_BODY = '{"title":"Post {n}","body":"%s","author_id":{n}}' % ("All work and no play. " * 10)


def works(rows: int) -> dict[str, Work]:
    """Return what the core panel measures."""
    listed = [
        Work("read one + parent", "/posts/{n}", rows),
        Work("read one + 20 nested", "/users/{n}", rows // 20),
        Work("list 20", "/posts?limit=20"),
        Work("list 20 + total", "/posts?limit=20&total=true"),
        Work("create", "/posts", rows // 20, "POST", POST_BODY, 201),
        Work("update", "/posts/{n}", rows, "PATCH", '{"title":"Changed"}'),
    ]
    return {work.name: work for work in listed}


class Bench:
    """One run: its folder, its PostgreSQL, its projects, and all that it measured."""

    def __init__(self, folder: Path, profile: Profile):
        self.folder = folder
        self.profile = profile
        self.template = commit_template(folder / "template")
        self.postgres = Postgres(folder / "postgres")
        self.projects: dict[str, Path] = {}
        self.rows: list[dict[str, Any]] = []
        self.panel = ""

    def project(self, **answers: object) -> Path:
        """Render a project, once."""
        key = json.dumps(answers)
        if key not in self.projects:
            path = self.folder / f"project-{len(self.projects)}"
            self.projects[key] = render(self.template, path, **answers)
        return self.projects[key]

    def database(self, name: str, project: Path, posts: int = 0, **rows: Any) -> str:
        """Create a database and fill it."""
        self.postgres.create(name, project)
        if posts:
            seed(self.postgres, name, posts, **rows)
        return name

    def serve(
        self,
        name: str,
        project: Path,
        application: str,
        database: str,
        url: str = "",
        **options: Any,
    ):
        """Serve an application on a database, directly unless a URL says otherwise."""
        url = url or self.postgres.url(database)
        return serve(name, project, application, database, url, **options)

    def record(self, **values: Any) -> None:
        """Keep a measurement."""
        self.rows.append({"panel": self.panel, **values})

    def count_statements(self, server: Server, work: Work, count: int = 40) -> float:
        """Return the statements per request that reach PostgreSQL."""
        requests = work.requests(count)
        server.request(*requests[0], count=count)  # What a connection asks only once.
        self.postgres.execute("postgres", "SELECT pg_stat_statements_reset()")
        for request in requests:
            server.request(*request)
        return self.postgres.statements(server.database) / count

    def measure(self, server: Server, work: Work, turn: int, **job: Any) -> None:
        """Measure one server at one work."""
        profile = self.profile
        settings = {
            "clients": profile.clients,
            "seconds": profile.seconds,
            "warmup": profile.warmup,
            **job,
        }
        measured = load(server, self.postgres, work.requests(), **settings)
        if measured["statuses"].keys() != {str(work.status)}:
            print(f"    {server.name}, {work.name}: {measured['statuses']}", flush=True)
        self.record(
            server=server.name, work=work.name, turn=turn, clients=settings["clients"], **measured
        )

    def alternate(self, servers: list[Server], chosen: list[Work], **job: Any) -> None:
        """Measure each server in turn, in alternating order, work by work, several rounds."""
        for work in chosen:
            print(f"  {work.name}", flush=True)
            for server in servers:
                self.record(
                    server=server.name,
                    work=work.name,
                    statements=self.count_statements(server, work),
                )
            for turn in range(self.profile.rounds):
                for server in servers[:: -1 if turn % 2 else 1]:
                    self.measure(server, work, turn, **job)
                    if work.method != "GET":
                        self.tidy(server.database)

    def tidy(self, database: str) -> None:
        """Remove what was created, and the old versions of what was updated."""
        self.postgres.execute(
            database, f"DELETE FROM posts WHERE id > {self.profile.rows}", "VACUUM posts"
        )


def check_same(servers: list[Server], chosen: list[Work]) -> None:
    """End the run if the servers do not answer with the same rows."""

    def known(value: Any, expected: Any) -> Any:
        """Return the parts that the first server, which has the fewest, knows too."""
        if isinstance(expected, dict):
            return {key: known(value.get(key), item) for key, item in expected.items()}
        if isinstance(expected, list):
            return [known(*pair) for pair in zip(value, expected, strict=True)]
        return value.replace("+00:00", "Z") if isinstance(value, str) else value

    for work in chosen:
        if work.method != "GET":
            continue
        request = work.requests(1)[0]
        answers = [json.loads(server.request(*request)[1]) for server in servers]
        expected = known(answers[0], answers[0])
        for server, answer in zip(servers, answers, strict=True):
            if known(answer, expected) != expected:
                sys.exit(f"{server.name} answers {request} otherwise:\n{answer}\n{expected}")


# --- Panels


@contextmanager
def core_servers(bench: Bench) -> Iterator[dict[str, Server]]:
    """Serve the yardsticks and ours, with and without soft delete, in both modes."""
    rows = bench.profile.rows
    with ExitStack() as stack:
        servers = {}
        for mode in ("async", "sync"):
            hard = bench.project(mode=mode)
            soft = bench.project(mode=mode, soft_delete="true")
            if mode == "async":
                bench.database("bench", hard, rows)
                bench.database("bench_soft", soft, rows)
            for name, project, application, database in (
                ("raw", hard, f"raw_{mode}:app", "bench"),
                ("hand-written", hard, f"orm_{mode}:app", "bench"),
                ("ours", hard, OURS, "bench"),
                ("ours, soft delete", soft, OURS, "bench_soft"),
            ):
                name = f"{name} {mode}"  # noqa: PLW2901
                servers[name] = stack.enter_context(
                    bench.serve(name, project, application, database)
                )
        yield servers


def core(bench: Bench) -> None:
    """Measure CPU per request against the yardsticks."""
    with core_servers(bench) as servers:
        chosen = list(works(bench.profile.rows).values())
        check_same(list(servers.values()), chosen)
        bench.alternate(list(servers.values()), chosen)


def steps(bench: Bench) -> None:
    """Measure one read step by step, and the cost of logging and of OpenTelemetry."""
    project = bench.project(mode="async")
    database = bench.database("steps", project, bench.profile.rows)
    with bench.serve("steps", project, "steps:create_app", database) as server:
        if server.request("GET", "/keep")[0] != 200:
            sys.exit("steps.py does not fit the project")
        paths = ("bare", "in-fastapi", "with-model", "with-session", "with-connection")
        chosen = [Work(path, f"/{path}") for path in (*paths, "with-driver")]
        whole = replace(works(bench.profile.rows)["read one + parent"], name="whole")
        for turn, work in itertools.product(range(bench.profile.rounds), [*chosen, whole]):
            bench.measure(server, work, turn)
    with ExitStack() as stack:
        servers = [
            stack.enter_context(bench.serve(name, project, application, database, logs=logs))
            for name, application, logs in (
                ("hand-written", "orm_async:app", False),
                ("hand-written, logs", "orm_async:app", True),
                ("ours", OURS, False),
                ("ours, logs", OURS, True),
                ("ours, no telemetry", "no_telemetry:create_app", False),
            )
        ]
        for turn in range(bench.profile.rounds):
            for server in servers[:: -1 if turn % 2 else 1]:
                bench.measure(server, whole, turn)


def clients(bench: Bench) -> None:
    """Measure many clients: the spread of their times, and the connections they take."""
    rows = bench.profile.rows
    by_name = works(rows)
    chosen = [by_name["list 20"], by_name["create"]]
    cases = []
    for mode in ("async", "sync"):
        hard = bench.project(mode=mode)
        soft = bench.project(mode=mode, soft_delete="true")
        if mode == "async":
            bench.database("clients", hard, rows)
            bench.database("clients_soft", soft, rows)
        cases += [
            (f"hand-written {mode}", hard, f"orm_{mode}:app", "clients"),
            (f"ours {mode}", hard, OURS, "clients"),
            (f"ours, soft delete {mode}", soft, OURS, "clients_soft"),
        ]
    for work, count in itertools.product(chosen, (64, 200)):
        print(f"  {work.name}, {count} clients", flush=True)
        for turn, case in itertools.product(range(max(bench.profile.rounds // 2, 1)), cases):
            # Started anew each time: one that hangs does so for half a minute.
            with bench.serve(*case) as server:
                with held(bench, server.database) as connections:
                    bench.measure(server, work, turn, clients=count, warmup=1.0, seconds=2.0)
                bench.rows[-1] |= connections
            if work.method != "GET":
                bench.tidy(server.database)


@contextmanager
def held(bench: Bench, database: str) -> Iterator[dict[str, float]]:
    """Look at a database's connections while something runs: how many, and how many busy."""
    samples: list[tuple[int, int]] = []
    ended = Event()

    def look() -> None:
        statement = (
            "SELECT count(*), count(*) FILTER (WHERE state <> 'idle')"
            " FROM pg_stat_activity WHERE datname = %s"
        )
        with bench.postgres.connect("postgres") as connection:
            while not ended.wait(0.05):
                samples.append(connection.execute(statement, [database]).fetchone())

    thread = Thread(target=look)
    thread.start()
    result: dict[str, float] = {}
    try:
        yield result
    finally:
        ended.set()
        thread.join()
    # The first samples are of the start.
    samples = samples[len(samples) // 3 :]
    result["connections"] = max((sample[0] for sample in samples), default=0)
    result["busy"] = sum(sample[1] for sample in samples) / max(len(samples), 1)


def pgbouncer(bench: Bench) -> None:
    """Measure the same projects directly and through PgBouncer in transaction mode."""
    rows = bench.profile.rows
    chosen = works(rows)
    del chosen["list 20 + total"]
    cases, folders = [], itertools.count()

    def open_pooler(project: Path, database: str) -> Pgbouncer:
        folder = bench.folder / f"pgbouncer-{next(folders)}"
        return Pgbouncer(folder, project, bench.postgres, database)

    for mode in ("async", "sync"):
        project = bench.project(mode=mode, pgbouncer="true")
        database = bench.database(f"pooled_{mode}", project, rows)
        cases += [
            (f"without PgBouncer {mode}", bench.project(mode=mode), database, False),
            (f"its project, direct {mode}", project, database, False),
            (f"through PgBouncer {mode}", project, database, True),
        ]

    with ExitStack() as stack:
        servers, pids = [], []
        for name, project, database, pooled in cases:
            url = ""
            if pooled:
                pooler = open_pooler(project, database)
                stack.callback(pooler.stop)
                pids.append(pooler.process.pid)
                url = pooler.url
            served = bench.serve(name, project, OURS, database, url)
            servers.append(stack.enter_context(served))
        bench.alternate(servers, list(chosen.values()), processes={"pgbouncer": pids})

    # One at a time, so that all connections to the database are of this one.
    crowd = replace(chosen["read one + parent"], name="64 clients")
    for name, project, database, pooled in cases:
        with ExitStack() as stack:
            url = ""
            if pooled:
                pooler = open_pooler(project, database)
                stack.callback(pooler.stop)
                url = pooler.url
            server = stack.enter_context(bench.serve(name, project, OURS, database, url))
            with held(bench, database) as connections:
                bench.measure(server, crowd, 0, clients=64)
            bench.rows[-1] |= connections


# The default tables without accounts; those with accounts are others.
TABLES = """
user: {name: str(100), email: email unique, is_active: bool default=true}
post: {title: str(200), body: text, author: ref(user) as=posts}
"""


def access(bench: Bench) -> None:
    """Measure reads of private rows with a token, and of the same rows without accounts."""
    rows = bench.profile.rows
    with ExitStack() as stack:
        servers = []
        for mode in ("async", "sync"):
            open_ = bench.project(mode=mode, resources=TABLES)
            owned = bench.project(mode=mode, resources=TABLES, auth="tokens")
            if mode == "async":
                bench.database("open", open_, rows)
                bench.database("owned", owned, rows, owned=True)
            for name, project, database, token in (
                (f"without accounts {mode}", open_, "open", ""),
                (f"with a token {mode}", owned, "owned", TOKEN),
            ):
                served = bench.serve(name, project, OURS, database, token=token)
                servers.append(stack.enter_context(served))
        chosen = [work for work in works(rows).values() if work.method == "GET"]
        check_same(servers, chosen)
        bench.alternate(servers, chosen)


def resources(bench: Bench) -> None:
    """Measure projects of 1, 10 and 50 resources: routing, start-up, memory."""
    with ExitStack() as stack:
        servers: dict[int, list[Server]] = {}
        for count, soft in itertools.product((1, 10, 50), (False, True)):
            project = bench.project(resources=things(count), soft_delete=str(soft).lower())
            database = bench.database(f"things_{count}{'_soft' * soft}", project)
            name = f"{count}{', soft delete' if soft else ''}"
            starting(bench, name, project, OURS, database)
            server = stack.enter_context(bench.serve(name, project, OURS, database))
            servers.setdefault(count, []).append(server)
            for path in {"/thing-1s", f"/thing-{count}s"}:
                server.request("POST", path, '{"name":"A thing","body":"Its body"}', count=20)
        chosen: dict[str, dict[int, Work]] = {}
        for count in servers:
            first, last = "/thing-1s", f"/thing-{count}s"
            for work in (
                Work("read, first", f"{first}/{{n}}", 20),
                Work("read, last", f"{last}/{{n}}", 20),
                Work("list, last", f"{last}?limit=20"),
                Work("404", "/nothing/1", status=404),
                Work("405, last", f"{last}/1", method="PUT", status=405),
            ):
                chosen.setdefault(work.name, {})[count] = work
        for name, by_count in chosen.items():
            print(f"  {name}", flush=True)
            for turn in range(bench.profile.rounds):
                for count, group in list(servers.items())[:: -1 if turn % 2 else 1]:
                    for server in group:
                        bench.measure(server, by_count[count], turn)


def start(bench: Bench) -> None:
    """Measure start-up and memory of the defaults and of the yardsticks."""
    for mode in ("async", "sync"):
        project = bench.project(mode=mode)
        database = bench.database(f"start_{mode}", project, 1_000)
        for name, application in (
            ("raw", f"raw_{mode}:app"),
            ("hand-written", f"orm_{mode}:app"),
            ("ours", OURS),
        ):
            starting(bench, f"{name} {mode}", project, application, database)
            with bench.serve(name, project, application, database) as server:
                bench.panel = "start, loaded"
                bench.measure(server, Work("list", "/posts?limit=20"), 0)
                bench.panel = "start"
                bench.record(name=f"{name} {mode}", loaded_memory=server.memory)


def starting(bench: Bench, name: str, *served: Any) -> None:
    """Measure the start of a server, after a first one that has written the bytecode."""
    for turn in range(bench.profile.rounds + 1):
        with bench.serve(name, *served) as server:
            if turn:
                bench.record(
                    name=name,
                    seconds=server.start_seconds,
                    start_cpu=server.start_cpu,
                    memory=server.start_memory,
                )


def sizes(bench: Bench) -> None:
    """Measure tables of more and more rows."""
    hard, soft = bench.project(mode="async"), bench.project(mode="async", soft_delete="true")
    for rows in bench.profile.sizes:
        print(f"  {rows:,} rows", flush=True)
        bench.database(f"rows_{rows}", hard, rows)
        bench.database(f"rows_{rows}_soft", soft, rows, deleted=0.9)
        with (
            bench.serve("ours", hard, OURS, f"rows_{rows}") as server,
            bench.serve("hand-written", hard, "orm_async:app", f"rows_{rows}") as by_hand,
            bench.serve("ours, 90 % deleted", soft, OURS, f"rows_{rows}_soft") as deleted,
        ):
            listed = [
                Work("read one + parent", "/posts/{n}", rows),
                Work("first page", "/posts?limit=20"),
                Work("first page + total", "/posts?limit=20&total=true"),
            ]
            last = Work("last page", f"/posts?limit=20&offset={rows - 20}")
            cases = [(server, work) for work in listed]
            cases += [(by_hand, work) for work in [*listed, last]]
            cases += [(deleted, work) for work in listed[1:]]
            if cursor := last_cursor(server, rows):
                cases.append((server, replace(last, path=f"/posts?limit=20&cursor={cursor}")))
            for turn in range(bench.profile.rounds):
                for served, work in cases[:: -1 if turn % 2 else 1]:
                    named = replace(work, name=f"{work.name}, {rows}")
                    bench.measure(served, named, turn, clients=4)


def last_cursor(server: Server, rows: int) -> str | None:
    """Return the cursor of the last page, found by reading all pages before it."""
    cursor, left = None, rows - 20
    while left:
        limit = min(100, left)
        page = f"/posts?limit={limit}" + (f"&cursor={cursor}" if cursor else "")
        cursor = json.loads(server.request("GET", page)[1])["next_cursor"]
        left -= limit
    return cursor


def generating(bench: Bench) -> None:
    """Measure `copier copy` and `copier update`."""
    for row in generator.measure(bench.folder, bench.template, bench.profile.generator_rounds):
        bench.record(**row)


PANELS: dict[str, Callable[[Bench], None]] = {
    "core": core,
    "steps": steps,
    "clients": clients,
    "pgbouncer": pgbouncer,
    "access": access,
    "resources": resources,
    "start": start,
    "sizes": sizes,
    "generator": generating,
}


def main() -> None:
    """Measure, keep the raw numbers, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few minutes, less precise")
    parser.add_argument("--only", nargs="+", choices=PANELS, default=list(PANELS), metavar="PANEL",
                        help=f"the others keep their numbers: {', '.join(PANELS)}")  # fmt: skip
    parser.add_argument("--report", action="store_true", help="write the report again, no more")
    arguments = parser.parse_args()
    profile = QUICK if arguments.quick else FULL
    if not arguments.report:
        measure(arguments.only, profile, "quick" if arguments.quick else "full")
    report.write(json.loads(RAW.read_text()))


def measure(panels: list[str], profile: Profile, name: str) -> None:
    """Measure some panels; the numbers of the others stay."""
    kept = json.loads(RAW.read_text()) if RAW.exists() else {}
    facts = describe()
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        bench = Bench(Path(folder), profile)
        try:
            for panel in panels:
                print(panel, flush=True)
                began = time.monotonic()
                bench.panel, bench.rows = panel, []
                PANELS[panel](bench)
                versions = run(
                    "uv", "pip", "freeze", cwd=bench.project(mode="async")
                )  # The same for all projects.
                kept[panel] = {
                    "rows": bench.rows,
                    "facts": facts
                    | {
                        "profile": name,
                        "rounds": profile.rounds,
                        "rows": profile.rows,
                        "clients": profile.clients,
                        "commit": run("git", "describe", "--always", "--dirty", cwd=ROOT).strip(),
                        "PostgreSQL": bench.postgres.version,
                        "versions": versions.split(),
                        "minutes": round((time.monotonic() - began) / 60, 1),
                    },
                }
                RAW.write_text(json.dumps(kept))
        finally:
            bench.postgres.stop()


if __name__ == "__main__":
    main()
