"""The counters of the runtime for a Prometheus registry; needs `prometheus_client`."""

from __future__ import annotations

import itertools
import os
import warnings
from typing import TYPE_CHECKING

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from ._state import BOUNDS, STATE, durations, metrics, panics_by_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client.core import Metric

LABELS = ("component",)


class Collector:
    """Reads the counters when it is scraped; a spawn costs nothing for it."""

    def __init__(self, *, by_name: bool = False) -> None:
        self._by_name = by_name

    def collect(self) -> Iterator[Metric]:
        """The metrics of this moment. Called by the registry."""
        now = metrics()
        started = CounterMetricFamily("goroutine_started", "Goroutines started.", labels=LABELS)
        panics = CounterMetricFamily("goroutine_panics", "Goroutines that panicked.", labels=LABELS)
        cancelled = CounterMetricFamily("goroutine_cancelled", "Goroutines that were cancelled.", labels=LABELS)
        held_back = CounterMetricFamily(
            "goroutine_panics_held_back", "Panics that were not logged, for there were too many.", labels=LABELS
        )
        restarts = CounterMetricFamily("goroutine_restarts", "Supervised goroutines started again.", labels=LABELS)
        active = GaugeMetricFamily("goroutine_active", "Goroutines that run now.", labels=LABELS)
        seconds = HistogramMetricFamily("goroutine_duration_seconds", "How long goroutines ran.", labels=LABELS)
        for component, value in now["goroutine_started_total"].items():
            started.add_metric([component], value)
            # From the start on, so that the first panic is a step from 0 to 1 that an alert can see.
            panics.add_metric([component], now["goroutine_panics_total"].get(component, 0))
            held_back.add_metric([component], now["goroutine_panics_held_back_total"].get(component, 0))
            cancelled.add_metric([component], now["goroutine_cancelled_total"].get(component, 0))
            restarts.add_metric([component], now["goroutine_restarts_total"].get(component, 0))
            active.add_metric([component], now["goroutine_active"][component])
        for component in now["goroutine_panics_total"].keys() - now["goroutine_started_total"].keys():
            panics.add_metric([component], now["goroutine_panics_total"][component])
            held_back.add_metric([component], now["goroutine_panics_held_back_total"].get(component, 0))
        for component, (ended, total) in durations().items():
            upto = zip((*map(str, BOUNDS), "+Inf"), itertools.accumulate(ended), strict=True)
            seconds.add_metric([component], list(upto), total)
        yield from (started, cancelled, panics, held_back, restarts, active, seconds)
        if self._by_name:
            labels = ("component", "goroutine_name")
            recovered = CounterMetricFamily("panic_recovered", "Recovered panics.", labels=labels)
            for key, value in panics_by_name().items():
                recovered.add_metric(key, value)
            yield recovered

    def describe(self) -> Iterator[Metric]:
        """The names, without reading the counters. Called by the registry."""
        return iter(())


def register(registry: CollectorRegistry = REGISTRY, *, by_name: bool = False) -> Callable[[], None]:
    """Show the counters in `registry`; returns what takes them out.

    `by_name` adds `panic_recovered_total{component,goroutine_name}`, the name that the Go runtime uses.
    RuntimeWarning in multiprocess mode, in which a scrape has none of it.
    Once for a registry is enough: a second time, also from another copy of the runtime, changes nothing.
    """
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        text = "PROMETHEUS_MULTIPROC_DIR is set: prometheus_client then reads no collectors, and shows none of these"
        warnings.warn(text, RuntimeWarning, stacklevel=2)
    with STATE.lock:
        if any(known is registry for known in STATE.registries):
            return lambda: None
        STATE.registries.append(registry)
    collector = Collector(by_name=by_name)
    try:
        registry.register(collector)
    except BaseException:
        STATE.registries.remove(registry)
        raise

    def undo() -> None:
        with STATE.lock:
            if registry in STATE.registries:
                STATE.registries.remove(registry)
                registry.unregister(collector)

    return undo
