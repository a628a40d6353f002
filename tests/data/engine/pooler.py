"""A real PgBouncer with a configuration of its own."""

import os
import shutil
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa


@contextmanager
def run_pooler(database_url: str, **options: str):
    """Run PgBouncer in transaction mode; yield the URL through it."""
    url = sa.make_url(database_url)
    host = url.host or str(url.query.get("host", "localhost"))
    # PgBouncer refuses to run as root; PostgreSQL trusts the owner of its socket.
    user = Path(host).owner() if Path(host).is_dir() and os.geteuid() == 0 else None
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    pooled = url.set(host="127.0.0.1", port=port, password=url.password or "test", query={})
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "users.txt").write_text(f'"{url.username}" "{pooled.password}"\n')
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": str(port),
            "unix_socket_dir": "",
            "auth_type": "scram-sha-256",
            "auth_file": str(folder / "users.txt"),
            "pool_mode": "transaction",
            **options,
        }
        lines = [f"{name} = {value}" for name, value in settings.items()]
        server = f"host={host} port={url.port or 5432} dbname={url.database}"
        text = "\n".join(["[databases]", f"{url.database} = {server}", "[pgbouncer]", *lines, ""])
        file = folder / "pgbouncer.ini"
        file.write_text(text)
        program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin") or "pgbouncer"
        command = [program, str(file)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, user=user) as process:
            try:
                log = process.stderr or ()
                assert any("process up" in line for line in log), "pgbouncer did not start"
                yield pooled.render_as_string(hide_password=False)
            finally:
                process.kill()
