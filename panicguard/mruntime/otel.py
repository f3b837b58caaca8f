"""The counters of the runtime for an OpenTelemetry meter, and panics as events of spans; needs `opentelemetry-api`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import metrics as otel_metrics
from opentelemetry import trace
from opentelemetry.metrics import CallbackOptions, Observation

from ._crash import on_crash
from ._panic import PanicError, PanicInfo, observe_panics
from ._state import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from opentelemetry.metrics import MeterProvider

EVENT = "panic.recovered"


def instrument(meter_provider: MeterProvider | None = None) -> Callable[[], None]:
    """Show the counters to the meter provider (default: the global one), and panics in the current span.

    Returns what stops the events; OpenTelemetry itself cannot take instruments back, they then show nothing.
    """
    shown = [True]

    def reading(name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def read(options: CallbackOptions) -> Iterable[Observation]:
            if not shown:
                return []
            return [Observation(value, {"component": component}) for component, value in metrics()[name].items()]

        return read

    meter = otel_metrics.get_meter("mruntime", meter_provider=meter_provider)
    for name, unit, text in (
        ("goroutine_started_total", "1", "Goroutines started."),
        ("goroutine_cancelled_total", "1", "Goroutines that were cancelled."),
        ("goroutine_panics_total", "1", "Goroutines that panicked."),
        ("goroutine_panics_held_back_total", "1", "Panics that were not logged, for there were too many."),
        ("goroutine_restarts_total", "1", "Supervised goroutines started again."),
        ("goroutine_duration_seconds_count", "1", "Goroutines that have ended."),
        ("goroutine_duration_seconds_sum", "s", "How long those ran together."),
    ):
        meter.create_observable_counter(name, [reading(name)], unit, text)
    meter.create_observable_up_down_counter(
        "goroutine_active", [reading("goroutine_active")], "1", "Goroutines that run now."
    )
    undos = [observe_panics(record_panic)]
    for provider in (trace.get_tracer_provider(), meter_provider or otel_metrics.get_meter_provider()):
        flush = getattr(provider, "force_flush", None)  # that of the SDK
        if flush is not None:
            undos.append(on_crash(flush))

    def undo() -> None:
        shown.clear()
        for stop in undos:
            stop()

    return undo


def record_panic(panic: PanicInfo, exc: object) -> None:
    """Put a panic into the current span, if that is recording: an event, the exception and the status.

    In spawned work the current span is that of the spawn, unless it made one of its own.
    """
    span = trace.get_current_span()
    if not span.is_recording():
        return
    attributes = {"panic.value": panic.value, "panic.stack": panic.stack, "panic.goroutine_name": panic.name}
    if panic.component:
        attributes["panic.component"] = panic.component
    span.add_event(EVENT, attributes)
    # In words only: the exception itself would take secrets along that were taken out of these.
    span.record_exception(PanicError(panic.value), {"exception.type": panic.type, "exception.stacktrace": panic.stack})
    where = f"{panic.component}/{panic.name}" if panic.component else panic.name
    span.set_status(trace.Status(trace.StatusCode.ERROR, f"panic recovered in {where}"))
