"""Check that the connection pools fit within the server's limits.

`python -m app.db.budget --replicas 4` uses the pool settings of the environment.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import NamedTuple

from app.settings import Settings, load_settings


class Limit(NamedTuple):
    """One connection limit."""

    name: str
    needed: int
    available: int


def connections_per_process(settings: Settings) -> int:
    """Return how many connections one process opens to all its databases.

    A read replica has a second pool of the same size; the readiness probe has its own connection.
    """
    databases = 2 if settings.read_database_url else 1
    return databases * (settings.pool_size + settings.max_overflow) + 1


def connection_budget(settings: Settings, deployment: argparse.Namespace) -> list[Limit]:
    """Return the connection limits between the application and PostgreSQL.

    A read replica is another database in PgBouncer, with its own server connections.
    """
    clients = deployment.replicas * settings.web_concurrency * connections_per_process(settings)
    per_database = deployment.default_pool_size + deployment.reserve_pool_size
    servers = deployment.pgbouncers * per_database
    postgres = deployment.max_connections - deployment.reserved
    return [
        Limit("PgBouncer clients", clients, deployment.pgbouncers * deployment.max_client_conn),
        Limit("PostgreSQL", servers, postgres),
    ]


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m app.db.budget",
        description="Check that the connection pools fit within the server's limits.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    options = {
        "replicas": (1, "containers or machines that run the application"),
        "max-connections": (100, "max_connections of PostgreSQL"),
        "reserved": (10, "connections kept for superusers, migrations and backups"),
        "pgbouncers": (1, "PgBouncer processes"),
        "default-pool-size": (20, "default_pool_size in pgbouncer.ini"),
        "reserve-pool-size": (5, "reserve_pool_size in pgbouncer.ini"),
        "max-client-conn": (1000, "max_client_conn in pgbouncer.ini"),
    }
    for name, (default, description) in options.items():
        parser.add_argument(f"--{name}", type=int, default=default, metavar="N", help=description)
    deployment = parser.parse_args(arguments)
    for name, value in vars(deployment).items():
        if value < 0:
            parser.error(f"argument --{name.replace('_', '-')}: must not be negative")
    return deployment


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the limits; return 1 if one is exceeded."""
    deployment = parse_arguments(arguments)
    exceeded = False
    for name, needed, available in connection_budget(load_settings(), deployment):
        verdict = "ok" if needed <= available else "EXCEEDED"
        exceeded |= needed > available
        sys.stdout.write(f"{name}: {needed} of {available} connections: {verdict}\n")
    return int(exceeded)


if __name__ == "__main__":
    sys.exit(main())
