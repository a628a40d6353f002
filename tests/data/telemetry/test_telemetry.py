"""Traces and metrics, as an OTLP collector receives them; run inside a rendered project."""

import datetime as dt
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx2
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector(ThreadingHTTPServer):
    """Receives OTLP over HTTP and keeps it in memory."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.spans: list = []
        self.metrics: set[str] = set()


class Receiver(BaseHTTPRequestHandler):
    """Accepts exports."""

    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/v1/traces":
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    self.server.spans.extend(scope.spans)
        elif self.path == "/v1/metrics":
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for scope in resource.scope_metrics:
                    self.server.metrics.update(metric.name for metric in scope.metrics)
        else:
            pytest.fail(f"unexpected export to {self.path}")
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def run_app(collector: int, *paths: str) -> list[dict]:
    """Request these paths of the application, stop it, and return its log."""
    page = Path("docs", "observability.md").read_text(encoding="utf-8")
    env = {
        **os.environ,
        **dict(re.findall(r"^\| `(\w+)=(\S+)` \|", page, re.MULTILINE)),
        "PORT": "0",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector}",
    }
    command = [sys.executable, "-m", "app"]
    logged = []
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stdout:
                if not line.startswith("{"):
                    continue
                entry = json.loads(line)
                logged.append(entry)
                if "running on" in entry["message"]:
                    address = entry["message"].split()[3]
                    for path in paths:
                        assert httpx2.get(f"{address}{path}", timeout=60).status_code == 200
                    # Exports happen before the process ends.
                    process.terminate()
        finally:
            process.terminate()
    return logged


@pytest.mark.usefixtures("settings")
def test_spans_and_metrics_reach_a_collector(collector: Collector) -> None:
    logged = run_app(collector.server_port, "/users", "/health/ready")
    spans = {span.name: span for span in collector.spans}
    (request,) = [entry for entry in logged if entry.get("route") == "/users"]
    assert spans["GET /users"].trace_id.hex() == request["trace_id"]
    assert "GET /health/ready" not in spans
    traced = {attribute.key for span in collector.spans for attribute in span.attributes}
    assert "db.query.text" in traced
    assert collector.metrics >= {
        "http.server.request.duration",
        "db.client.connection.count",
        "db.client.connection.pending_requests",
    }


@pytest.mark.usefixtures("settings")
def test_a_collector_that_hangs_does_not_delay_the_exit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        logged = run_app(silent.getsockname()[1], "/users")
        stopping = next(each for each in logged if each["message"] == "Shutting down")
    elapsed = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(stopping["time"])
    assert elapsed.total_seconds() < 15
