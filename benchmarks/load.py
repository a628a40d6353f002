"""The load generator: keep-alive connections that each send their next request at once.

Reads a job from standard input and writes what it measured to standard output, both as JSON. A
process of its own, so that its work is not counted as the server's.
"""

import asyncio
import itertools
import json
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator

import psutil


def encode(method: str, path: str, body: str, token: str) -> bytes:
    """Return the bytes of a request."""
    head = f"{method} {path} HTTP/1.1\r\nhost: bench\r\n"
    if token:
        head += f"authorization: Bearer {token}\r\n"
    if body:
        head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return f"{head}\r\n{body}".encode()


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, requests: Iterator[bytes], times: list[float], statuses: Counter[str]):
        self.requests = requests
        self.times = times
        self.statuses = statuses
        self.buffer = b""
        self.started = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Send the first request."""
        self.transport = transport
        self.send()

    def send(self) -> None:
        """Send the next request."""
        self.started = time.perf_counter()
        self.transport.write(next(self.requests))

    def data_received(self, data: bytes) -> None:
        """Send the next request once the response is complete."""
        self.buffer += data
        head, separator, body = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        _, found, length = head.partition(b"content-length: ")
        if len(body) < (int(length.partition(b"\r\n")[0]) if found else 0):
            return
        self.times.append(time.perf_counter() - self.started)
        self.statuses[head[9:12].decode()] += 1
        self.buffer = b""
        self.send()

    def connection_lost(self, _error: Exception | None) -> None:
        """Count a connection that the server closed."""
        self.statuses["closed"] += 1


def cpu_seconds(pids: list[int]) -> dict[int, float]:
    """Return the CPU seconds so far of these processes and of those below them."""
    seconds = {}
    for pid in pids:
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
            try:
                # The process's own CPU clock, to the nanosecond: clock_getcpuclockid(3) on Linux.
                seconds[process.pid] = time.clock_gettime(~process.pid << 3 | 2)
            except OSError:  # It has ended.
                continue
    return seconds


async def run(job: dict) -> dict:
    """Run a job; return the measurements of its second part, after the warm-up."""
    loop = asyncio.get_running_loop()
    requests = itertools.cycle([encode(*request, job["token"]) for request in job["requests"]])
    times: list[float] = []
    statuses: Counter[str] = Counter()
    await asyncio.gather(
        *(
            loop.create_connection(
                lambda: Client(requests, times, statuses), "127.0.0.1", job["port"]
            )
            for _ in range(job["clients"])
        )
    )
    await asyncio.sleep(job["warmup"])
    before = {name: cpu_seconds(pids) for name, pids in job["processes"].items()}
    own, start = time.process_time(), time.perf_counter()
    times.clear()
    statuses.clear()
    await asyncio.sleep(job["seconds"])
    elapsed = time.perf_counter() - start
    own = time.process_time() - own
    count = len(times)
    used = {
        name: sum(now - before[name].get(pid, 0) for pid, now in cpu_seconds(pids).items())
        for name, pids in job["processes"].items()
    }
    times = sorted(times[:count])
    return {
        "requests": count,
        "statuses": dict(statuses),
        "rate": count / elapsed,
        # Microseconds of CPU per request.
        "cpu": {name: seconds / count * 1e6 for name, seconds in used.items()} if count else {},
        "load_cpu": own / count * 1e6 if count else None,
        "p50": statistics.median(times) * 1e3 if count else None,
        "p99": times[int(count * 0.99)] * 1e3 if count else None,
        "max": times[-1] * 1e3 if count else None,
    }


def main() -> None:
    """Run the job of standard input."""
    job = json.load(sys.stdin)
    os.sched_setaffinity(0, job["cores"])
    json.dump(asyncio.run(run(job)), sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # Without a wait for the connections.


if __name__ == "__main__":
    main()
