"""Serve the application: `python -m app`."""

import uvicorn

from app.logs import log_config
from app.settings import load_settings


def main() -> None:
    """Validate the settings before starting any worker, then serve."""
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
        # Seconds in-flight requests get to finish on shutdown.
        timeout_graceful_shutdown=20,
    )


if __name__ == "__main__":
    main()
