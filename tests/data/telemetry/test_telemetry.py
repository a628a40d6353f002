"""Traces and metrics, as an OTLP collector receives them; run inside a rendered project."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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


@pytest.mark.usefixtures("settings")
def test_spans_and_metrics_reach_a_collector(collector: Collector) -> None:
    env = {
        **os.environ,
        "PORT": "0",
        "SQL_SPANS": "true",
        "FASTAPI_OTEL_AUTO_CONFIGURE": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
    }
    command = [sys.executable, "-m", "app"]
    logged = []
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stdout:
                entry = json.loads(line)
                logged.append(entry)
                if "running on" in entry["message"]:
                    address = entry["message"].split()[3]
                    for path in ("/users", "/health/ready"):
                        assert httpx2.get(f"{address}{path}", timeout=60).status_code == 200
                    # Exports happen before the process ends.
                    process.terminate()
        finally:
            process.terminate()

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
