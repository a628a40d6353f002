"""The report: results.md, ratios first, and the plots beside it."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt

FOLDER = Path(__file__).parent
PLOTS = FOLDER / "plots"
MODES = ("async", "sync")
READS = ("read one + parent", "read one + 20 nested", "list 20", "list 20 + total")
WRITES = ("create", "update")
COLORS = {
    "raw": "#9aa0a6",
    "hand-written": "#e8833a",
    "ours": "#2166ac",
    "ours, soft delete": "#7fb3d9",
}

Raw = dict[str, dict[str, Any]]
Select = Callable[[dict[str, Any]], float]


def server_cpu(row: dict[str, Any]) -> float:
    """Return the CPU of a request in the server, in microseconds."""
    return row["cpu"]["server"]


class Panel:
    """The measurements of one panel, by server, work and clients."""

    def __init__(self, raw: Raw, name: str):
        self.rows = raw.get(name, {}).get("rows", [])
        self.cells: dict[tuple, list[dict[str, Any]]] = defaultdict(list)
        self.facts: dict[tuple, dict[str, Any]] = defaultdict(dict)
        for row in self.rows:
            if "turn" in row and "server" in row:
                if row["cpu"]:
                    self.cells[row["server"], row["work"]].append(row)
                    self.cells[row["server"], row["work"], row["clients"]].append(row)
            elif "server" in row:
                self.facts[row["server"], row["work"]] |= row

    def value(self, select: Select, *key: Any) -> float | None:
        """Return the median of a measurement."""
        values = [select(row) for row in self.cells.get(key, [])]
        return median(values) if values else None

    def ratio(self, first: tuple, second: tuple, select: Select = server_cpu) -> list[float] | None:
        """Return first by second, round by round."""
        pairs = [
            {row["turn"]: select(row) for row in self.cells.get(key, [])} for key in (first, second)
        ]
        return [
            pairs[0][turn] / pairs[1][turn] for turn in sorted(pairs[0].keys() & pairs[1].keys())
        ]


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table; numbers stand right."""
    head = list(head)
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *[list(row) for row in rows]]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def number(value: float | None, digits: int = 0) -> str:
    """Return a number for a table."""
    return "-" if value is None else f"{value:,.{digits}f}"


def verdict(values: list[float] | float | None, *, least: float = 0, most: float = 0) -> str:
    """Return a ratio with its range, and whether it is as good as the goal."""
    if values is None or values == []:
        return "-"
    listed = values if isinstance(values, list) else [values]
    middle = median(listed)
    met = round(middle, 2) >= least if least else round(middle, 2) <= most
    spread = f" ({min(listed):.2f} to {max(listed):.2f})" if len(listed) > 1 else ""
    return f"{'**' if not met else ''}{middle:.2f}{'**' if not met else ''}{spread}"


# --- Sections


def ratios(raw: Raw) -> str:
    """Return the table of the goals."""
    core, pooled, many = Panel(raw, "core"), Panel(raw, "pgbouncer"), Panel(raw, "clients")
    owned = Panel(raw, "access")
    rows: list[list[str]] = []

    def add(text: str, values: Callable[[str], list[float] | None], **goal: float) -> None:
        sign, bound = ("≥", goal["least"]) if "least" in goal else ("≤", goal["most"])
        results = [verdict(values(mode), **goal) for mode in MODES]
        if any(result != "-" for result in results):
            rows.append([text, f"{sign} {bound}", *results])

    def against(first: str, second: str, work: str) -> Callable[[str], list[float] | None]:
        return lambda mode: core.ratio((f"{first} {mode}", work), (f"{second} {mode}", work))

    for work, least in zip(READS + WRITES, (1.2, 1.2, 1.05, 1.05, 1.3, 1.3), strict=True):
        add(f"hand-written / ours: {work}", against("hand-written", "ours", work), least=least)
    for work, least in (("read one + parent", 0.35), ("list 20", 0.45), ("create", 0.28)):
        add(f"raw driver / ours: {work}", against("raw", "ours", work), least=least)
    for work in (*READS, *WRITES):
        most = 1.05 if work in READS else 1.2
        add(f"soft delete on / off: {work}", against("ours, soft delete", "ours", work), most=most)
    for work in (*READS, *WRITES):
        add(
            f"direct / through PgBouncer: {work}",
            lambda mode, work=work: pooled.ratio(
                (f"its project, direct {mode}", work), (f"through PgBouncer {mode}", work)
            ),
            least=0.9,
        )
    for work in READS:
        add(
            f"with a token / without accounts: {work}",
            lambda mode, work=work: owned.ratio(
                (f"with a token {mode}", work), (f"without accounts {mode}", work)
            ),
            most=1.15,
        )
    for clients in (64, 200):
        for name in ("ours", "ours, soft delete"):
            for work in ("list 20", "create"):
                add(
                    f"p99 / p50, {clients} clients, {name}: {work}",
                    lambda mode, key=(name, work, clients): [
                        row["p99"] / row["p50"]
                        for row in many.cells[f"{key[0]} {mode}", key[1], key[2]]
                    ],
                    most=4,
                )
    text = table(["ratio of CPU per request", "goal", "async", "sync"], rows)
    sizes = Panel(raw, "resources")
    if sizes.rows:
        rows = [
            [
                f"50 resources / 1: {work}",
                "≤ 1.05",
                *[
                    verdict(sizes.ratio((f"50{soft}", work), (f"1{soft}", work)), most=1.05)
                    for soft in ("", ", soft delete")
                ],
            ]
            for work in ("read, first", "read, last", "list, last", "404", "405, last")
        ]
        text += "\n\n" + table(
            ["ratio of CPU per request, async", "goal", "soft delete off", "on"], rows
        )
    return text


def yardsticks(raw: Raw) -> str:
    """Return the numbers behind the ratios."""
    panel = Panel(raw, "core")
    rows = []
    for work in READS + WRITES:
        for mode in MODES:
            for name in COLORS:
                key = (f"{name} {mode}", work)
                if key not in panel.cells:
                    continue
                rows.append(
                    [
                        f"{work}: {name}, {mode}",
                        number(panel.value(server_cpu, *key)),
                        number(panel.value(lambda row: row["cpu"]["postgres"], *key)),
                        number(panel.value(lambda row: row["rate"], *key)),
                        number(panel.value(lambda row: row["p50"], *key), 1),
                        number(panel.value(lambda row: row["p99"], *key), 1),
                        number(panel.facts[key].get("statements"), 1),
                    ]
                )
    return table(
        ["", "CPU, µs", "of PostgreSQL", "requests/s", "p50, ms", "p99, ms", "statements"], rows
    )


STEPS = {
    "bare": "uvicorn: parse the request, send the response",
    "in-fastapi": "middleware, routing, a route without parameters",
    "with-model": "the response model: validate 2 objects, write JSON",
    "with-session": "the dependency: open and close a session",
    "with-connection": "take a connection from the pool and give it back",
    "with-driver": "one SELECT by the driver, through SQLAlchemy's adapter",
    "whole": "path parameter, ETag, statement from the cache, ORM objects",
}

# A label, the server without the feature, and the server with it.
OBSERVED = [
    ("hand-written: a log line for each request", "hand-written", "hand-written, logs"),
    ("ours: a log line for each request (the default)", "ours", "ours, logs"),
    ("ours: OpenTelemetry, not configured", "ours, no telemetry", "ours"),
]


def steps(raw: Raw) -> str:
    """Return where the time of one read goes."""
    panel = Panel(raw, "steps")
    values = [panel.value(server_cpu, "steps", step) or 0 for step in STEPS]
    rows = [
        [text, number(value - before), number(value)]
        for text, value, before in zip(STEPS.values(), values, [0.0, *values], strict=False)
    ]
    text = table(["each step has one thing more", "CPU, µs", "up to here"], rows)
    rows = [
        [
            label,
            *[number(panel.value(server_cpu, name, "whole")) for name in (without, with_)],
            verdict(panel.ratio((with_, "whole"), (without, "whole")), most=9),
        ]
        for label, without, with_ in OBSERVED
    ]
    head = ["", "without, µs", "with, µs", "ratio"]
    return f"{text}\n\n{table(head, rows)}"


def pgbouncer(raw: Raw) -> str:
    """Return what PgBouncer costs."""
    panel = Panel(raw, "pgbouncer")
    rows = []
    for work in (*READS, *WRITES, "64 clients"):
        for mode in MODES:
            for name in ("without PgBouncer", "its project, direct", "through PgBouncer"):
                key = (f"{name} {mode}", work)
                if key not in panel.cells:
                    continue
                through = name.startswith("through") and work != "64 clients"
                held = [row["connections"] for row in panel.cells[key] if "connections" in row]
                rows.append(
                    [
                        f"{work}: {name}, {mode}",
                        number(panel.value(server_cpu, *key)),
                        number(panel.value(lambda row: row["cpu"]["pgbouncer"], *key))
                        if through
                        else "",
                        number(panel.value(lambda row: row["rate"], *key)),
                        number(panel.value(lambda row: row["p99"], *key), 1),
                        number(panel.facts[key].get("statements"), 1),
                        number(max(held)) if held else "",
                    ]
                )
    return table(
        ["", "CPU, µs", "of PgBouncer", "requests/s", "p99, ms", "statements", "connections"],
        rows,
    )


def access(raw: Raw) -> str:
    """Return what accounts cost."""
    panel = Panel(raw, "access")
    rows = [
        [
            f"{work}: {name}, {mode}",
            number(panel.value(server_cpu, *key)),
            number(panel.value(lambda row: row["cpu"]["postgres"], *key)),
            number(panel.value(lambda row: row["rate"], *key)),
            number(panel.facts[key].get("statements"), 1),
        ]
        for work in READS
        for mode in MODES
        for name in ("without accounts", "with a token")
        if (key := (f"{name} {mode}", work)) in panel.cells
    ]
    return table(["", "CPU, µs", "of PostgreSQL", "requests/s", "statements"], rows)


def clients(raw: Raw) -> str:
    """Return how many clients at once are served."""
    panel = Panel(raw, "clients")
    rows = []
    keys = dict.fromkeys(
        (row["work"], row["clients"], row["server"]) for row in panel.rows if "turn" in row
    )
    for work, count, server in sorted(keys, key=lambda key: (key[0], key[1])):
        cells = panel.cells.get((server, work, count), [])
        if cells:
            values = [
                number(median(row["rate"] for row in cells)),
                number(median(row["p50"] for row in cells), 1),
                number(median(row["p99"] for row in cells), 1),
                number(median(row["p99"] / row["p50"] for row in cells), 1),
                number(max(row["connections"] for row in cells)),
                number(median(row["busy"] for row in cells), 1),
            ]
        else:
            values = ["hangs", *[""] * 5]
        rows.append([f"{work}, {count} clients: {server}", *values])
    return table(
        ["", "requests/s", "p50, ms", "p99, ms", "p99 / p50", "connections", "of them busy"], rows
    )


def resources(raw: Raw) -> str:
    """Return what more resources cost."""
    panel = Panel(raw, "resources")
    counts = [f"{count}{soft}" for soft in ("", ", soft delete") for count in (1, 10, 50)]
    rows = [
        [f"{work}, µs", *[number(panel.value(server_cpu, count, work)) for count in counts]]
        for work in ("read, first", "read, last", "list, last", "404", "405, last")
    ]
    rows += starts(panel, counts)
    return table(["resources", *counts], rows)


def start(raw: Raw) -> str:
    """Return start-up and memory of the defaults."""
    panel = Panel(raw, "start")
    names = [f"{name} {mode}" for mode in MODES for name in ("raw", "hand-written", "ours")]
    return table(["", *names], starts(panel, names))


def starts(panel: Panel, names: list[str]) -> list[list[str]]:
    """Return rows about start-up and memory."""
    lines = {
        "start, s": ("seconds", 2),
        "start, s of CPU": ("start_cpu", 2),
        "memory after start, MiB": ("memory", 0),
        "memory after load, MiB": ("loaded_memory", 0),
    }
    rows = []
    for text, (field, digits) in lines.items():
        values = [
            [row[field] for row in panel.rows if row.get("name") == name and field in row]
            for name in names
        ]
        if any(values):
            rows.append([text, *[number(median(v) if v else None, digits) for v in values]])
    return rows


def sized(raw: Raw) -> tuple[list[int], list[tuple[str, str]], Panel]:
    """Return the sizes of tables, the lines, and the panel."""
    panel = Panel(raw, "sizes")
    keys = [key for key in panel.cells if len(key) == 2]
    found = sorted({int(key[1].rpartition(", ")[2]) for key in keys})
    lines = dict.fromkeys((key[0], key[1].rpartition(", ")[0]) for key in keys)
    return found, sorted(lines, key=lambda line: (line[1], line[0])), panel


def both_cpu(row: dict[str, Any]) -> float:
    """Return the CPU of a request in the server and in PostgreSQL, in microseconds."""
    return row["cpu"]["server"] + row["cpu"]["postgres"]


def sizes(raw: Raw) -> str:
    """Return what more rows cost."""
    found, lines, panel = sized(raw)
    tables = []
    for head, select, digits in (
        ("CPU with PostgreSQL's, µs", both_cpu, 0),
        ("p50, ms, 4 clients", lambda row: row["p50"], 2),
    ):
        rows = [
            [
                f"{work}: {server}",
                *[number(panel.value(select, server, f"{work}, {size}"), digits) for size in found],
            ]
            for server, work in lines
        ]
        tables.append(table([head, *[f"{size:,} rows" for size in found]], rows))
    return "\n\n".join(tables)


GENERATOR_GOALS = {
    "copy, defaults": 1.5,
    "copy, 50 resources": 4,
    "update, defaults, soft_delete turned on": 4,
    "update, 50 resources, one added": 4,
}
PARTS = (
    "start of Python, imports",
    "Copier itself",
    "git, per file",
    "git, else",
    "Jinja compiles",
    "Jinja renders",
)


def generator(raw: Raw) -> str:
    """Return how long the generator takes."""
    rows = []
    for name, most in GENERATOR_GOALS.items():
        runs = [row for row in raw["generator"]["rows"] if row["name"] == name]
        seconds = [row["seconds"] for row in runs if "seconds" in row]
        parts = next(row["parts"] for row in runs if "parts" in row)
        rows.append(
            [
                name,
                f"< {most}",
                verdict(seconds, most=most),
                number(median(row["cpu"] for row in runs if "cpu" in row), 2),
                *[number(parts.get(part, 0), 2) for part in PARTS],
            ]
        )
    return table(["seconds", "goal", "wall clock", "CPU", *PARTS], rows)


# --- Plots


def save(figure: plt.Figure, name: str) -> None:
    """Save a plot."""
    figure.savefig(PLOTS / name, dpi=120, bbox_inches="tight")
    plt.close(figure)


def plot_core(raw: Raw) -> None:
    """Plot CPU per request, by work."""
    panel = Panel(raw, "core")
    figure, axes = plt.subplots(1, 2, figsize=(12, 5), sharey=True)
    shown = [work for work in READS + WRITES if ("ours async", work) in panel.cells]
    for axis, mode in zip(axes, MODES, strict=True):
        for place, (name, color) in enumerate(COLORS.items()):
            values = [panel.value(server_cpu, f"{name} {mode}", work) or 0 for work in shown]
            places = [line + place * 0.2 - 0.3 for line in range(len(shown))]
            bars = axis.barh(places, values, 0.19, color=color, label=name)
            axis.bar_label(bars, fmt="{:,.0f}", fontsize=7, padding=2)
        axis.set_title(mode)
        axis.set_xlabel("CPU of the server per request, µs")
        axis.set_yticks(range(len(shown)), shown)
    axes[0].invert_yaxis()
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="upper center", ncols=len(names), frameon=False)
    save(figure, "cpu.png")


def plot_clients(raw: Raw) -> None:
    """Plot p50 and p99 of many clients."""
    panel = Panel(raw, "clients")
    figure, axes = plt.subplots(1, 2, figsize=(12, 4.5))
    names = [name for name in COLORS if name != "raw"]
    for axis, clients in zip(axes, (64, 200), strict=True):
        labels = [f"{name}\n{mode}".replace(", ", ",\n") for mode in MODES for name in names]
        for place, mode in enumerate(MODES):
            for step, name in enumerate(names):
                key = (f"{name} {mode}", "list 20", clients)
                p50 = panel.value(lambda row: row["p50"], *key)
                p99 = panel.value(lambda row: row["p99"], *key)
                at = place * len(names) + step
                if p50 is None:
                    axis.text(at, 1, "hangs", ha="center", va="bottom", color="#b2182b")
                    continue
                axis.bar(at, p99, color=COLORS[name], alpha=0.45)
                axis.bar(at, p50, color=COLORS[name])
        axis.set_xticks(range(len(labels)), labels, fontsize=7)
        axis.set_ylabel("ms: p50, and p99 (pale)")
        axis.set_title(f"list 20, {clients} clients")
    save(figure, "clients.png")


def plot_resources(raw: Raw) -> None:
    """Plot CPU per request by the number of resources."""
    panel = Panel(raw, "resources")
    figure, axis = plt.subplots(figsize=(7, 4.5))
    counts = [1, 10, 50]
    for work in ("read, first", "read, last", "list, last", "404", "405, last"):
        axis.plot(
            counts,
            [panel.value(server_cpu, str(count), work) for count in counts],
            marker="o",
            label=work,
        )
    axis.set_ylim(bottom=0)
    axis.set_xticks(counts)
    axis.set_xlabel("resources")
    axis.set_ylabel("CPU per request, µs")
    axis.legend(frameon=False)
    save(figure, "resources.png")


def plot_sizes(raw: Raw) -> None:
    """Plot CPU by the number of rows."""
    found, lines, panel = sized(raw)
    figure, axis = plt.subplots(figsize=(8, 5))
    styles = {
        "read one + parent": ":",
        "first page": "-",
        "first page + total": "--",
        "last page": "-.",
    }
    colors = {"ours": COLORS["ours"], "hand-written": COLORS["hand-written"]}
    for server, work in lines:
        values = [panel.value(both_cpu, server, f"{work}, {size}") for size in found]
        axis.plot(
            found,
            [float("nan") if value is None else value for value in values],
            styles[work],
            color=colors.get(server, COLORS["ours, soft delete"]),
            marker=".",
            label=f"{server}: {work}",
        )
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlabel("rows")
    axis.set_ylabel("CPU per request, of server and PostgreSQL, µs")
    axis.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    save(figure, "sizes.png")


def plot_generator(raw: Raw) -> None:
    """Plot where the generator's time goes."""
    figure, axis = plt.subplots(figsize=(9, 3))
    names = list(GENERATOR_GOALS)
    runs = {row["name"]: row["parts"] for row in raw["generator"]["rows"] if "parts" in row}
    left = [0.0] * len(names)
    for part in PARTS:
        widths = [runs[name].get(part, 0) for name in names]
        axis.barh(names, widths, left=left, label=part)
        left = [sum(pair) for pair in zip(left, widths, strict=True)]
    axis.invert_yaxis()
    axis.set_xlabel("seconds")
    axis.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    save(figure, "generator.png")


# --- The whole

SECTIONS = {
    "core": ("Against the yardsticks", yardsticks, plot_core, "cpu.png"),
    "steps": ("Where the time of one read goes, async", steps, None, ""),
    "pgbouncer": ("Direct and through PgBouncer", pgbouncer, None, ""),
    "access": ("With a token and without accounts", access, None, ""),
    "clients": ("Many clients", clients, plot_clients, "clients.png"),
    "resources": ("1, 10 and 50 resources, async", resources, plot_resources, "resources.png"),
    "sizes": ("More and more rows, async", sizes, plot_sizes, "sizes.png"),
    "start": ("Start-up and memory", start, None, ""),
    "generator": ("The generator", generator, plot_generator, "generator.png"),
}
SHOWN = ("fastapi", "starlette", "pydantic", "sqlalchemy", "asyncpg", "uvicorn", "uvloop")
INTRODUCTION = (
    "The record of a run; README.md says how it was measured. A ratio is the median of the rounds,"
    " their range in parentheses; **bold** is short of the goal."
)


def write(raw: Raw) -> None:
    """Write results.md and the plots, of the panels that have numbers."""
    mpl.use("agg")
    PLOTS.mkdir(exist_ok=True)
    facts = [raw[panel]["facts"] for panel in SECTIONS if panel in raw]
    versions = [v for v in facts[0]["versions"] if v.partition("==")[0] in SHOWN]
    parts = [
        "# Results",
        INTRODUCTION,
        "\n".join(
            f"- {name}: {facts[0][name]}"
            for name in ("machine", "system", "PostgreSQL", "load average before the run", "commit")
        )
        + f"\n- versions: {', '.join(versions)}"
        + f"\n- {facts[0]['profile']} profile: {facts[0]['rounds']} rounds,"
        f" {facts[0]['rows']:,} rows, {facts[0]['clients']} clients",
        "## Ratios",
        ratios(raw),
    ]
    for panel, (title, section, plot, file) in SECTIONS.items():
        if panel not in raw:
            continue
        parts.append(f"## {title}")
        own = raw[panel]["facts"]
        if any(own[name] != facts[0][name] for name in ("commit", "profile")):
            parts.append(f"Measured at {own['commit']}, {own['profile']} profile.")
        if plot:
            plot(raw)
            parts.append(f"![{title}](plots/{file})")
        parts.append(section(raw))
    (FOLDER / "results.md").write_text("\n\n".join(parts) + "\n")
