"""A rendered project without FastAPI's OpenTelemetry, to see what it costs while it is off."""

from typing import Any

from app.main import create_app as create_project


def create_app() -> Any:
    """Create the project's application."""
    app = create_project()
    app._telemetry.update(tracing=False, metrics=False)  # noqa: SLF001
    return app
