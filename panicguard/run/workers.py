"""Many files: linted here, or in worker processes when that pays.

Whatever a file does to the linter costs that file and no other: it gets a diagnostic that says so.
"""

from __future__ import annotations

import collections
import gc
import importlib
import itertools
import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panicguard.diagnostic import INTERNAL_ERROR, Result
from panicguard.languages import FRONT_ENDS
from panicguard.run.limit import TookTooLong, limited
from panicguard.run.lint import TRIES, clean, described, failure, read_and_lint, write
from panicguard.settings import front_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future
    from typing import Any, TypeAlias

    from pebble import ProcessPool

    from panicguard.run.task import Task
    from panicguard.settings import Settings

    File = tuple[str, Settings]
    Pool: TypeAlias = "ProcessPool | _Here"

ALONE_FILES = 250
ALONE_BYTES = 2_000_000
"""Up to here the start of the workers would cost more than they save."""
BATCH_FILES = 64
BATCH_BYTES = 400_000
SECONDS = 60.0
SECONDS_PER_MEGABYTE = 15.0
TOO_LONG = "the linter took too long and was stopped"
SPARE = 16
DESCRIPTORS = 3
"""File descriptors that are wanted to start workers at all, and for each of them."""


def run(files: Iterable[File], task: Task) -> Iterator[Result]:
    """The result of each file, in the order of `files`, as soon as it is there.

    Closing the iterator, or KeyboardInterrupt, stops the workers at once. Only this process writes.
    """
    remaining = iter(files)
    first: list[File] = []
    count = size = 0.0
    for file in remaining:
        first.append(file)
        weight = FRONT_ENDS[front_end(file[1], file[0])].WEIGHT
        count += weight
        size += weight * _size(file[0])
        if count > ALONE_FILES or size > ALONE_BYTES:
            yield from _run_in_workers(itertools.chain(first, remaining), task)
            return
    for path, settings in first:
        yield write(_linted_here(path, settings, task), settings, task)


def _linted_here(path: str, settings: Settings, task: Task) -> Result:
    """The result of a file, in the time that a worker would have for it."""
    try:
        with limited(_batch([], _size(path)).seconds):
            return read_and_lint(path, settings, task)
    except TookTooLong:
        return failure(path, INTERNAL_ERROR, TOO_LONG)


@dataclass(frozen=True, slots=True)
class _Batch:
    files: list[File]
    seconds: float
    """What it may take before one of its files is thought to hang."""


@dataclass(frozen=True, slots=True)
class _Job:
    batch: _Batch
    pool: Pool
    future: Future[list[Result | None]]


class _Here:
    """Stands for the workers where the system has none to give: does each job as it is scheduled, in this process."""

    active = True

    def schedule(self, function: Callable[..., Any], args: tuple[Any, ...], timeout: float) -> Future[Any]:
        from concurrent.futures import Future

        future: Future[Any] = Future()
        future.set_result(function(*args))
        return future

    def stop(self) -> None: ...

    def join(self) -> None: ...


def _run_in_workers(files: Iterable[File], task: Task) -> Iterator[Result]:
    from concurrent.futures import BrokenExecutor, wait

    count = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    pool = _start(count)

    def schedule(batch: _Batch) -> _Job:
        nonlocal pool
        if not pool.active:  # every worker was killed at once
            _stop(pool)
            pool = _start(count)
        return _Job(batch, pool, pool.schedule(_lint_batch, (batch.files, task), timeout=batch.seconds))

    def finish(job: _Job, tries: int = TRIES) -> Iterator[Result]:
        try:
            while not wait([job.future], timeout=1).done:
                if not job.pool.active:
                    raise BrokenExecutor("all workers died")
            results = job.future.result()
        except BrokenExecutor as error:
            if tries:
                yield from finish(schedule(job.batch), tries - 1)
            else:
                yield from (failure(path, INTERNAL_ERROR, described(error)) for path, _ in job.batch.files)
        except Exception as error:
            if len(job.batch.files) == 1:
                yield failure(job.batch.files[0][0], INTERNAL_ERROR, _death(error))
            else:
                for alone in [schedule(_batch([file], _size(file[0]))) for file in job.batch.files]:
                    yield from finish(alone)
        else:
            for result, (path, settings) in zip(results, job.batch.files, strict=True):
                yield write(result or clean(path), settings, task)

    waiting: collections.deque[_Job] = collections.deque()
    try:
        for batch in _batches(files):
            waiting.append(schedule(batch))
            if len(waiting) > 4 * count:
                yield from finish(waiting.popleft())
        while waiting:
            yield from finish(waiting.popleft())
    finally:
        _stop(pool)


def _start(count: int) -> Pool:
    """Workers, or what stands for them where the system has no process, thread, semaphore or descriptor for them."""
    try:
        _try_descriptors(SPARE + DESCRIPTORS * count)
        import multiprocessing

        from pebble import ProcessPool

        if sys.platform == "linux":
            _load()
        # Fork shares what is loaded; where it is not safe, spawn is the default.
        context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        pool = ProcessPool(max_workers=count, initializer=_prepare_worker, context=context)
    except (OSError, ImportError):  # an ImportError: semaphores are not there at all, or there is no memory for more
        return _Here()
    # A worker inherits the mask: the interrupt that is meant for this process must not end it in a traceback.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]) if sys.platform != "win32" else None
    try:
        if pool.active:
            return pool
    except (OSError, RuntimeError, ImportError):  # a RuntimeError: no thread could be started, or no worker
        pass
    finally:
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    _stop(pool)
    return _Here()


def _load() -> None:
    """Load, once for all workers, what a worker needs as soon as it meets a file with a spawn."""
    from panicguard.python.cst import cst
    from panicguard.python.parse import parse
    from panicguard.rule import all_rules

    for rule in all_rules():
        importlib.import_module(rule.module)
    _ = cst.Module, parse
    gc.freeze()  # what is never looked at by the collector stays shared


def _try_descriptors(count: int) -> None:
    """Raises OSError where there are not so many file descriptors left."""
    taken: list[int] = []
    try:
        while len(taken) < count:
            taken.append(os.dup(0))
    finally:
        for descriptor in taken:
            os.close(descriptor)


def _batches(files: Iterable[File]) -> Iterator[_Batch]:
    batch: list[File] = []
    size = 0
    for file in files:
        batch.append(file)
        size += _size(file[0])
        if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
            yield _batch(batch, size)
            batch, size = [], 0
    if batch:
        yield _batch(batch, size)


def _batch(files: list[File], size: int) -> _Batch:
    return _Batch(files, SECONDS + SECONDS_PER_MEGABYTE * size / 1e6)


def _prepare_worker() -> None:
    # A worker within the native parser would not get to run a handler.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.disable()  # a syntax tree has no cycles, and to look for them takes longer than to read it


def _lint_batch(batch: list[File], task: Task) -> list[Result | None]:
    """The result of each file; None, which is soon sent, for one with nothing to show, as most have."""
    results = (read_and_lint(path, settings, task) for path, settings in batch)
    return [result if result.says_something or result.consulted or not result.lasting else None for result in results]


def _stop(pool: Pool) -> None:
    pool.stop()
    pool.join()


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):
        return 0


def _death(error: Exception) -> str:
    """What became of the worker that had a file."""
    import concurrent.futures

    import pebble

    if isinstance(error, (TimeoutError, concurrent.futures.TimeoutError)):
        return TOO_LONG
    if isinstance(error, pebble.ProcessExpired):
        code = error.exitcode
        if code is not None and code < 0:
            return f"the linter crashed on this file ({signal.strsignal(-code) or f'signal {-code}'})"
        return f"the linter crashed on this file (exit code {code})"
    return described(error)
