"""A rendered project with FastAPI's OpenTelemetry instrumentation disabled."""

from typing import Any

from app.main import create_app as create_project


def create_app() -> Any:
    """Create the project's application."""
    app = create_project()
    app._telemetry.update(tracing=False, metrics=False)  # noqa: SLF001
    return app
