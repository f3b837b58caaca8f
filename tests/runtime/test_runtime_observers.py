"""Who learns of a panic: log, metrics, spans, error reporter; and what is withheld from them in production."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from panicguard.mruntime import (
    KeepRunning,
    PanicError,
    RecoverAndLog,
    SafeGo,
    SafeGoWithContextAndComponent,
    SafeThread,
    background,
    handle_panic_value,
    metrics,
    observe_panics,
    set_error_reporter,
    set_production_mode,
    with_value,
)
from panicguard.mruntime._panic import redact
from panicguard.mruntime._stack import MAX_CHARS, stack_of
from panicguard.mruntime._state import STATE

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "hunter2-hunter2"


def boom(text: str = "the reason") -> None:
    raise ValueError(text)


def run(component: str, fn: Any = boom, *args: Any) -> SafeThread:
    thread = SafeGo(component, KeepRunning, fn, args=args)
    thread.join(5)
    return thread


class Reporter:
    def __init__(self) -> None:
        self.calls: list[tuple[Any, BaseException, dict[str, str]]] = []

    def capture_exception(self, ctx: Any, exc: BaseException, tags: Any, /) -> None:
        self.calls.append((ctx, exc, dict(tags)))


@pytest.fixture
def reporter():
    found = Reporter()
    set_error_reporter(found)
    yield found
    set_error_reporter(None)


@pytest.fixture
def production():
    set_production_mode(True)
    yield
    set_production_mode(False)


def test_the_reporter_gets_the_exception_the_context_and_the_tags(records, reporter):
    ctx = with_value(background(), "tenant", 7)
    error = ValueError("the reason")

    def fail(ctx: object) -> None:
        raise error

    SafeGoWithContextAndComponent(ctx, "mailer", KeepRunning, fail, name="send").join(5)
    [(got, exc, tags)] = reporter.calls
    assert (got, exc) == (ctx, error)
    stack = tags.pop("stack_trace")
    assert tags == {"component": "mailer", "goroutine_name": "send", "panic_type": "recovered"}
    assert "ValueError: the reason" in stack


def test_the_reporter_gets_values_wrapped(records, reporter):
    handle_panic_value("no exception", component="c", name="n")
    [(_, exc, tags)] = reporter.calls
    assert isinstance(exc, PanicError)
    assert str(exc) == "panic: no exception"
    assert "stack_trace" not in tags


def test_a_long_stack_is_cut_and_says_so(records, reporter):
    run("long", boom, "x" * 10000)
    stack = reporter.calls[0][2]["stack_trace"]
    assert len(stack) == 4096 + len("\n...[truncated]")
    assert stack.endswith("\n...[truncated]")


def test_a_reporter_has_to_capture_exceptions():
    with pytest.raises(TypeError, match="capture_exception"):
        set_error_reporter(object())  # type: ignore[arg-type]


def test_observers_that_fail_change_nothing_and_complain_once_a_second(records, reporter, capfd, monkeypatch):
    def fail(*_: object) -> None:
        raise SystemExit("observer")

    monkeypatch.setattr(STATE, "complained", 0.0)
    monkeypatch.setattr(reporter, "capture_exception", fail)
    undo = observe_panics(fail)
    try:
        for _ in range(3):
            assert run("observed").panic is not None
    finally:
        undo()
    assert len(records.panics) == 3
    assert capfd.readouterr().err == "mruntime: an observer of panics raised SystemExit\n"


def test_an_observer_that_panics_itself_is_not_asked_again(records):
    def fail(panic: object, exc: object) -> None:
        with RecoverAndLog("inner", component="inner"):
            boom("inner")

    undo = observe_panics(fail)
    try:
        run("outer")
    finally:
        undo()
    assert [record.panic_component for record in records.panics] == ["outer"]


def test_observers_are_taken_back(records):
    seen: list[Any] = []
    undo = observe_panics(lambda panic, exc: seen.append((panic.component, type(exc))))
    run("seen")
    undo()
    undo()
    run("unseen")
    assert seen == [("seen", ValueError)]


def test_active_and_duration(records):
    gate = threading.Event()
    component = "measured"
    threads = [SafeGo(component, KeepRunning, gate.wait, args=(5,)) for _ in range(3)]
    now = metrics()
    assert (now["goroutine_started_total"][component], now["goroutine_active"][component]) == (3, 3)
    gate.set()
    for thread in threads:
        thread.join(5)

    async def main() -> None:
        await SafeGo(component, KeepRunning, asyncio.sleep(0.01))

    asyncio.run(main())
    now = metrics()
    assert now["goroutine_active"][component] == 0
    assert now["goroutine_started_total"][component] == now["goroutine_duration_seconds_count"][component] == 4
    assert 0.01 <= now["goroutine_duration_seconds_sum"][component] < 30


# What looks like a secret


@pytest.mark.parametrize(
    "text",
    [
        f"password={SECRET}",
        f"db_password: {SECRET} is wrong",
        f"Authorization: Bearer {SECRET}",
        f"Bearer {SECRET}",
        f"{{'api_key': '{SECRET}', 'n': 1}}",
        f'{{"secret": "{SECRET}"}}',
        f"https://host/?token={SECRET}&page=1",
        f"aws_secret_access_key={SECRET}",
        f"API-KEY = {SECRET}",
        f"postgres://app:{SECRET}@db:5432/shop",
        f"postgres://app:p@{SECRET}@db/shop",
        f"redis://:{SECRET}@cache",
        f"amqp://app:{SECRET}",
        f"passphrase: {SECRET}",
        f"access_key={SECRET}",
        f"AccountName=a;AccountKey={SECRET}==;EndpointSuffix=b",
        f"Cookie: theme=dark; sid={SECRET}; page=1",
        f"{{'Set-Cookie': 'sid={SECRET}; Path=/'}}",
        f"password='{SECRET}",
        f'{{"password": "with \\" and {SECRET}',
        f"sk-{SECRET:0<40}",
        f"xoxb-{SECRET:0<12}",
        f"eyJhbGciOiJI.eyJzdWIi.{SECRET}",
        f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_secrets_are_taken_out(text):
    cleaned = redact(text)
    assert SECRET not in cleaned
    assert "[REDACTED]" in cleaned


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no such file: a.txt",
        "the token was refused",
        "password required",
        "a=1 b: 2",
        "KeyError: 'key'",
        "monkey=3, key=4",
        "http://localhost:8080",
        "http://localhost:8080/page?mail=a@b.example",
        "https://ann@host:99/x",
        "Task-1 of sk-learn",
    ],
)
def test_other_text_stays(text):
    assert redact(text) == text


def test_keys_are_known_by_their_form():
    assert redact("AKIAABCDEFGHIJKLMNOP is not allowed") == "[REDACTED] is not allowed"
    assert redact(f"ghp_{'a1' * 18}: gone") == "[REDACTED]: gone"
    assert redact("MAKIAABCDEFGHIJKLMNOP") == "MAKIAABCDEFGHIJKLMNOP"


def test_a_secret_longer_than_what_is_shown_is_not_shown_in_part():
    thread = run("secret", boom, "cannot log in with password=" + SECRET * 1000)
    assert SECRET not in thread.panic.value + thread.panic.stack
    assert thread.panic.value == "cannot log in with password=[REDACTED]"


def test_a_panic_s_secrets_are_taken_out_everywhere(records, reporter):
    thread = run("secret", boom, f"cannot log in with password={SECRET}")
    [record] = records.panics
    assert record.getMessage() == "panic recovered in secret/boom: cannot log in with password=[REDACTED]"
    assert SECRET not in record.stack_trace + record.panic_value + thread.panic.stack + thread.panic.value
    assert SECRET not in reporter.calls[0][2]["stack_trace"]


def everything_of(record: logging.LogRecord) -> str:
    return logging.Formatter().format(record) + repr(record.__dict__)


def test_invariant_25_in_production_nothing_of_a_panic_leaves(records, reporter, production, capfd):
    run("shop", boom, SECRET)
    with RecoverAndLog("block", component="shop", logger=None):
        boom(SECRET)
    handle_panic_value(SECRET, component="shop", name="value")
    assert len(records.panics) == 3
    assert {record.panic_value for record in records.panics} == {"panic recovered (details redacted)"}
    assert {record.stack_trace for record in records.panics} == {""}
    assert {str(exc) for _, exc, _ in reporter.calls} == {"panic recovered (details redacted)"}
    left = "".join(everything_of(record) for record in records.panics) + repr(reporter.calls)
    assert SECRET not in left
    assert "Traceback" not in left
    assert "boom(" not in left
    assert SECRET not in capfd.readouterr().err


def test_in_production_nothing_of_a_panic_is_in_the_span(records, production):
    pytest.importorskip("opentelemetry.sdk")
    exporter, tracer = spans()
    from panicguard.mruntime import otel

    undo = otel.instrument()
    try:
        with tracer.start_as_current_span("request"):
            run("shop", boom, SECRET)
    finally:
        undo()
    [span] = exporter.get_finished_spans()
    assert span.events
    assert not [told for told in (SECRET, "Traceback", "boom(") if told in span.to_json()]


# The real thing


def test_prometheus_counts_what_happened(records):
    prometheus_client = pytest.importorskip("prometheus_client")
    from panicguard.mruntime import prometheus

    registry = prometheus_client.CollectorRegistry()
    undo = prometheus.register(registry, by_name=True)
    assert prometheus.register(registry)() is None  # once is enough, and it takes nothing out
    run("scraped")
    run("scraped", print)

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, {"component": "scraped", **labels})

    assert value("goroutine_started_total") == 2
    assert value("goroutine_panics_total") == 1
    assert value("goroutine_active") == 0
    assert value("goroutine_cancelled_total") == value("goroutine_panics_held_back_total") == 0
    assert value("goroutine_duration_seconds_count") == 2
    assert value("goroutine_duration_seconds_bucket", le="+Inf") == 2
    run("scraped", time.sleep, 0.006)
    upto = [value("goroutine_duration_seconds_bucket", le=le) for le in ("0.005", "3600.0", "+Inf")]
    assert upto == [2, 3, 3]
    assert value("panic_recovered_total", goroutine_name="boom") == 1
    assert b"# TYPE goroutine_started_total counter" in prometheus_client.generate_latest(registry)
    undo()
    undo()
    assert value("goroutine_started_total") is None


def test_opentelemetry_counts_what_happened(records):
    pytest.importorskip("opentelemetry.sdk")
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    from panicguard.mruntime import otel

    reader = InMemoryMetricReader()
    undo = otel.instrument(MeterProvider([reader]))
    run("metered")

    def values() -> dict[str, float]:
        return {
            metric.name: point.value
            for resource in getattr(reader.get_metrics_data(), "resource_metrics", ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in metric.data.data_points
            if point.attributes == {"component": "metered"}
        }

    found = values()
    assert found.pop("goroutine_duration_seconds_sum") >= 0
    assert found == {
        "goroutine_started_total": 1,
        "goroutine_panics_total": 1,
        "goroutine_active": 0,
        "goroutine_duration_seconds_count": 1,
    }
    undo()
    assert values() == {}


def spans():
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter, provider.get_tracer("test")


@pytest.mark.parametrize("way", ["thread", "task"])
def test_a_panic_is_an_event_of_the_spawner_s_span(records, way):
    pytest.importorskip("opentelemetry.sdk")
    from panicguard.mruntime import otel

    exporter, tracer = spans()
    undo = otel.instrument()

    async def fail() -> None:
        boom()

    async def main() -> None:
        with tracer.start_as_current_span("request"):
            await asyncio.wait([SafeGo("shop", KeepRunning, fail(), name="work")])

    def in_thread() -> None:
        with tracer.start_as_current_span("request"):
            SafeGo("shop", KeepRunning, boom, name="work").join(5)

    try:
        in_thread() if way == "thread" else asyncio.run(main())
        run("no span")
    finally:
        undo()
    [span] = exporter.get_finished_spans()
    assert span.status.description == "panic recovered in shop/work"
    assert not span.status.is_ok
    panic, exception = span.events
    assert (panic.name, exception.name) == ("panic.recovered", "exception")
    assert panic.attributes["panic.value"] == "the reason"
    assert panic.attributes["panic.goroutine_name"] == "work"
    assert panic.attributes["panic.component"] == "shop"
    assert "ValueError: the reason" in panic.attributes["panic.stack"]
    assert exception.attributes["exception.type"] == "ValueError"


def test_sentry_gets_one_event_a_panic(records):
    sentry_sdk = pytest.importorskip("sentry_sdk")
    from sentry_sdk.integrations.asyncio import AsyncioIntegration

    from panicguard.mruntime.sentry import SentryReporter

    events: list[Any] = []

    class Transport(sentry_sdk.transport.Transport):
        def capture_envelope(self, envelope: Any) -> None:
            events.extend(event for event in [envelope.get_event()] if event)

    sentry_sdk.init(dsn="http://key@localhost/1", transport=Transport, integrations=[AsyncioIntegration()])
    set_error_reporter(SentryReporter())

    async def fail() -> None:
        boom("in a task")

    async def main() -> None:
        AsyncioIntegration.setup_once()
        await asyncio.wait([SafeGo("shop", KeepRunning, fail())])

    try:
        run("shop", boom, "in a thread")
        asyncio.run(main())
    finally:
        set_error_reporter(None)
        sentry_sdk.get_client().close()
        sentry_sdk.init()
    found = [(event["exception"]["values"][0]["value"], event["tags"]["component"]) for event in events]
    assert found == [("in a thread", "shop"), ("in a task", "shop")]


def failures() -> list[BaseException]:
    """One of each kind: plain, in an expression over several lines, caused, hidden behind another, deep, in a group."""

    def several_lines() -> object:
        return [
            len("a" * 3),
            boom("in the middle") or 1,
        ]

    def caused() -> None:
        try:
            boom()
        except ValueError as exc:
            raise KeyError("caused") from exc

    def hidden() -> None:
        try:
            boom()
        except ValueError:
            {}["hidden"]

    def deep(n: int) -> object:
        return 1 // n + deep(n - 1)

    found: list[BaseException] = []
    for fail in (boom, several_lines, caused, hidden, lambda: deep(20), lambda: compile("a b", "<text>", "eval")):
        try:
            fail()
        except Exception as exc:
            found.append(exc)
    if sys.version_info >= (3, 11):
        found.append(ExceptionGroup("several", found[:3]))  # noqa: F821
    return found


def test_the_stack_is_what_python_prints_the_first_time_and_again():
    for exc in [*failures(), *failures()]:
        printed = "".join(traceback.format_exception(exc))[-MAX_CHARS:]
        assert stack_of(exc) == printed
        assert stack_of(exc) == printed


def test_the_stack_shows_what_a_changed_file_says_now(tmp_path: Path):
    path = tmp_path / "changing.py"
    for text in ("1 / 0", "1 // 0  # changed"):
        path.write_text(f"{text}\n")
        with pytest.raises(ZeroDivisionError) as caught:
            exec(compile(path.read_text(), str(path), "exec"))
        assert text in stack_of(caught.value)
