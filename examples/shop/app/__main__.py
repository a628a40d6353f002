"""Serve the application: `python -m app`."""

import argparse

import uvicorn

from app.logs import log_config
from app.settings import load_settings


def main() -> None:
    """Validate the settings before starting any worker, then serve."""
    description = "Serve the application. All settings come from the environment and `.env`."
    argparse.ArgumentParser(prog="python -m app", description=description).parse_args()
    settings = load_settings()
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.web_concurrency,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        log_config=log_config(settings.log_format),
        access_log=False,
        server_header=False,
        # Uvicorn would log the whole URL of each WebSocket. Remove this to add WebSocket routes.
        ws="none",
        # Longer than most proxies keep idle connections: a request on one that is closed here is lost.
        timeout_keep_alive=75,
        # Seconds in-flight requests get to finish on shutdown.
        timeout_graceful_shutdown=20,
    )


if __name__ == "__main__":
    main()
