"""The demo service as its users see it: started, killed in part, scraped, traced and stopped."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SERVICE = ROOT / "fixtures" / "service" / "service.py"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there SIGTERM ends the process")


class Running:
    """The service in a process of its own."""

    def __init__(self, *command: str, **env: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(SERVICE.parent))), **env},
        )
        self.errors: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening on port (\d+)\n", line)
        assert found, line + "".join(self.errors.queue)
        self.port = int(found[1])

    def _read(self) -> None:
        for line in self.process.stderr:
            self.errors.put(line)

    def log(self) -> dict[str, str]:
        """The next record of the log."""
        return json.loads(self.errors.get(timeout=10))

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, answer.read().decode()

    def accepts(self) -> bool:
        """Whether it takes connections yet."""
        try:
            socket.create_connection(("127.0.0.1", self.port), 10).close()
        except ConnectionRefusedError:
            return False
        return True

    def stop(self) -> list[str]:
        """Ask it to end, and read what it prints then."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0
        self.reader.join(10)
        return self.process.stdout.read().splitlines()


@pytest.fixture
def start():
    started: list[Running] = []

    def begin(*command: str, **env: str) -> Running:
        running = Running(*command, **env)
        started.append(running)
        return running

    yield begin
    for running in started:
        running.process.kill()
        running.process.wait()
        running.reader.join(10)
        running.process.stdout.close()
        running.process.stderr.close()


def test_its_worker_dies_and_it_answers_on(start):
    service = start(str(SERVICE))
    assert service.get("/") == (200, "hello from worker 1\n")
    assert service.get("/kill") == (202, "the worker will panic\n")
    panic = service.log()
    assert "raise RuntimeError" in panic.pop("stack_trace")
    assert panic == {
        "level": "ERROR",
        "logger": "mruntime",
        "message": "panic recovered in worker/Service.work: worker 1 was killed",
        "panic_component": "worker",
        "panic_source": "Service.work",
        "panic_policy": "KeepRunning",
        "panic_type": "RuntimeError",
        "panic_value": "worker 1 was killed",
    }
    again = service.log()
    assert (again["level"], again["logger"]) == ("INFO", "mruntime")
    assert re.fullmatch(r"supervisor/Service\.run_worker is started again in 0\.\d+ s", again["message"])
    assert service.get("/") == (200, "hello from worker 2\n")
    assert service.get("/elsewhere")[0] == 404
    (report,) = service.stop()
    assert re.fullmatch(r"shutdown: \d+ finished", report)
    assert service.errors.empty()


def test_what_was_begun_is_finished_before_it_ends(start):
    service = start(str(SERVICE))
    with socket.create_connection(("127.0.0.1", service.port), 10) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        # Answered, so the connection before it was accepted too.
        assert service.get("/")[0] == 200
        service.process.send_signal(signal.SIGTERM)
        while service.accepts():
            time.sleep(0.01)
        client.sendall(b"Host: localhost\r\n\r\n")
        assert client.makefile("rb").read().endswith(b"\r\n\r\nhello from worker 1\n")
    assert service.process.wait(20) == 0
    assert re.fullmatch(r"shutdown: \d+ finished\n", service.process.stdout.read())


def test_prometheus_scrapes_it(start):
    parser = pytest.importorskip("prometheus_client.parser")
    service = start(str(SERVICE))
    service.get("/kill")
    service.log()
    service.get("/")
    status, text = service.get("/metrics")
    assert status == 200
    samples = {
        (sample.name, sample.labels["component"]): sample.value
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
        if "component" in sample.labels
    }
    assert samples["goroutine_panics_total", "worker"] == 1
    assert samples["goroutine_started_total", "worker"] == 2
    assert samples["goroutine_active", "worker"] == 1
    assert samples["goroutine_duration_seconds_count", "worker"] == 1
    assert samples["goroutine_panics_total", "supervisor"] == 0
    assert samples["goroutine_restarts_total", "supervisor"] == 1
    assert samples["goroutine_active", "http"] >= 1
    service.stop()


def test_it_needs_nothing_but_the_standard_library(start):
    # With -S there are no installed packages.
    service = start("-S", str(SERVICE))
    assert service.get("/") == (200, "hello from worker 1\n")
    assert service.get("/metrics") == (404, "prometheus_client is not installed\n")
    service.stop()


TRACED = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)

import service

status = service.main()
for span in exporter.get_finished_spans():
    print(span.to_json(indent=None))
raise SystemExit(status)
"""


@pytest.mark.parametrize("asked", [True, False])
def test_the_panic_is_in_the_span_of_the_worker_when_asked(start, asked):
    pytest.importorskip("opentelemetry.sdk")
    service = start("-c", TRACED, SERVICE_SPANS="1" if asked else "")
    service.get("/kill")
    service.log()
    service.get("/")
    report, *lines = service.stop()
    assert report.startswith("shutdown: ")
    if not asked:
        assert lines == []
        return
    spans = [json.loads(line) for line in lines]
    assert sorted(span["name"] for span in spans) == ["GET /", "GET /kill", "worker", "worker"]
    killed, alive = (span for span in spans if span["name"] == "worker")
    assert killed["status"] == {"status_code": "ERROR", "description": "panic recovered in worker/Service.work"}
    (panic,) = (event for event in killed["events"] if event["name"] == "panic.recovered")
    assert panic["attributes"]["panic.value"] == "worker 1 was killed"
    assert panic["attributes"]["panic.component"] == "worker"
    assert panic["attributes"]["panic.goroutine_name"] == "Service.work"
    assert alive["events"] == []
    assert alive["status"] == {"status_code": "UNSET"}
