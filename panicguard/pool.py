"""One file, and many: reading, checking or fixing, writing; in worker processes when that pays.

Whatever a file does to the linter costs that file and no other: it gets a diagnostic that says so.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
import gc
import itertools
import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panicguard import atomic, links, suppress
from panicguard.annotate import annotate
from panicguard.engine import check
from panicguard.fix import fix
from panicguard.mode import Mode
from panicguard.model import INTERNAL_ERROR, INVALID_SYNTAX, IO_ERROR, Diagnostic, Result
from panicguard.reading import read
from panicguard.rule import rule_names
from panicguard.settings import front_end, language
from panicguard.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future
    from typing import Any, TypeAlias

    from pebble import ProcessPool

    from panicguard.settings import Settings

    File = tuple[str, Settings]
    Pool: TypeAlias = "ProcessPool | _Here"

ALONE_FILES = 250
ALONE_BYTES = 2_000_000
"""Up to here the start of the workers would cost more than they save."""
_WEIGHTS = {"python": 1.0, "go": 0.2}
"""What a file takes beside one of Python of the same size, by its front end."""
BATCH_FILES = 64
BATCH_BYTES = 400_000
SECONDS = 60.0
SECONDS_PER_MEGABYTE = 15.0
"""What a batch may take before one of its files is thought to hang."""
SPARE = 16
DESCRIPTORS = 3
"""File descriptors that are wanted to start workers at all, and for each of them."""
TRIES = 5
"""How often a file that changes while it is fixed is read again."""


def lint_file(path: str, settings: Settings, mode: Mode) -> Result:
    """What the file at `path` comes to.

    Never raises but for KeyboardInterrupt and the like: a file that cannot be read or written has an
    `io-error`, one on which the linter fails an `internal-error`. Where there is nothing to show, neither
    diagnostics nor fixes, the result's source has its path but no text.
    """
    return _write(_lint(path, settings, mode), settings, mode)


def lint_bytes(path: str, data: bytes, settings: Settings, mode: Mode) -> Result:
    """What a file of these bytes comes to; as `lint_file`, but reads and writes nothing."""
    try:
        source = Source.decode(
            path, data, notebook=language(settings, path) == "ipynb", language=front_end(settings, path)
        )
    except UnicodeDecodeError as error:
        row = error.object[: error.start].count(b"\n") + 1
        return _failure(path, IO_ERROR, f"stream did not contain valid {error.encoding.upper()} (line {row})")
    except (UnicodeError, LookupError) as error:
        return _failure(path, IO_ERROR, str(error))
    except ValueError as error:
        return _failure(path, INVALID_SYNTAX, str(error))
    if (null := source.text.find("\0")) >= 0:
        said = Diagnostic(INVALID_SYNTAX, INVALID_SYNTAX, "source code cannot contain null bytes", null, null + 1)
        return Result(source, (said,))
    try:
        if mode.annotation is not None:
            result = annotate(source, functools.partial(check, settings=settings), rule_names(), mode.annotation)
        elif mode.fix:
            result = fix(source, settings, mode.unsafe)
        else:
            result = Result(source, check(source, settings))
        if result.original is not None and source.encode() != data:
            message = f"not changed: {source.encoding} would not write the file as it was read"
            said = Diagnostic(INTERNAL_ERROR, INTERNAL_ERROR, message, 0, 0)
            result = Result(source, (*check(source, settings), said))
        speaks_of_us = suppress.may_speak(result.source)
        warnings = suppress.warnings(result.source, rule_names()) if speaks_of_us else ()
        codes = suppress.noqa_codes(result.source, rule_names()) if speaks_of_us else ()
    except Exception as error:
        return _failure(path, INTERNAL_ERROR, _exception(error))
    if not result.diagnostics and result.original is None:
        return Result(Source(path, ""), (), warnings=warnings, noqa_codes=codes)
    return dataclasses.replace(result, warnings=warnings, noqa_codes=codes)


def run(files: Iterable[File], mode: Mode) -> Iterator[Result]:
    """The result of each file, in the order of `files`, as soon as it is there.

    Closing the iterator, or KeyboardInterrupt, stops the workers at once. Only this process writes.
    """
    remaining = iter(files)
    first: list[File] = []
    count = size = 0.0
    for file in remaining:
        first.append(file)
        weight = _WEIGHTS[front_end(file[1], file[0])]
        count += weight
        size += weight * _size(file[0])
        if count > ALONE_FILES or size > ALONE_BYTES:
            yield from _run_in_workers(itertools.chain(first, remaining), mode)
            return
    for path, settings in first:
        yield lint_file(path, settings, mode)


@dataclass(frozen=True, slots=True)
class _Job:
    batch: list[File]
    pool: Pool
    future: Future[list[Result]]


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


def _run_in_workers(files: Iterable[File], mode: Mode) -> Iterator[Result]:
    from concurrent.futures import BrokenExecutor, wait

    count = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    reading = dataclasses.replace(mode, write=False)
    pool = _start(count)

    def schedule(batch: list[File]) -> _Job:
        nonlocal pool
        if not pool.active:  # every worker was killed at once
            _stop(pool)
            pool = _start(count)
        limit = SECONDS + SECONDS_PER_MEGABYTE * sum(_size(path) for path, _ in batch) / 1e6
        return _Job(batch, pool, pool.schedule(_lint_batch, (batch, reading), timeout=limit))

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
                yield from (_failure(path, INTERNAL_ERROR, _exception(error)) for path, _ in job.batch)
        except Exception as error:
            if len(job.batch) == 1:
                yield _failure(job.batch[0][0], INTERNAL_ERROR, _death(error))
            else:
                for alone in [schedule([file]) for file in job.batch]:
                    yield from finish(alone)
        else:
            for result, (_, settings) in zip(results, job.batch, strict=True):
                yield _write(result, settings, mode)

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


def _try_descriptors(count: int) -> None:
    """Raises OSError where there are not so many file descriptors left."""
    taken: list[int] = []
    try:
        while len(taken) < count:
            taken.append(os.dup(0))
    finally:
        for descriptor in taken:
            os.close(descriptor)


def _batches(files: Iterable[File]) -> Iterator[list[File]]:
    batch: list[File] = []
    size = 0
    for file in files:
        batch.append(file)
        size += _size(file[0])
        if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _prepare_worker() -> None:
    # A worker within the native parser would not get to run a handler.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.disable()  # a syntax tree has no cycles, and to look for them takes longer than to read it


def _lint_batch(batch: list[File], mode: Mode) -> list[Result]:
    return [_lint(path, settings, mode) for path, settings in batch]


def _stop(pool: Pool) -> None:
    pool.stop()
    pool.join()


def _lint(path: str, settings: Settings, mode: Mode) -> Result:
    try:
        data = read(path)
    except OSError as error:
        return _failure(path, IO_ERROR, _os_error(error))
    except Exception as error:
        return _failure(path, INTERNAL_ERROR, _exception(error))
    return lint_bytes(path, data, settings, mode)


def _write(result: Result, settings: Settings, mode: Mode) -> Result:
    """The result once what was changed is in the file; of the file as it is now, if it has changed meanwhile."""
    path = result.source.path
    for _ in range(TRIES):
        if not mode.write or result.original is None:
            return result
        if mode.trees and links.leads_out(path, *mode.trees):
            target = os.path.realpath(path)
            return _unfixed(path, settings, f"not written: it is a link to {target}, outside of what was given")
        try:
            if atomic.replace(path, result.original.encode(), result.source.encode()):
                return result
        except OSError as error:
            return _unfixed(path, settings, f"cannot write the file: {_os_error(error)}")
        result = _lint(path, settings, mode)
    return _unfixed(path, settings, "the file kept changing meanwhile: not written")


def _unfixed(path: str, settings: Settings, message: str) -> Result:
    result = _lint(path, settings, Mode())
    said = Diagnostic(IO_ERROR, IO_ERROR, message, 0, 0)
    return dataclasses.replace(result, diagnostics=(*result.diagnostics, said))


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):
        return 0


def _failure(path: str, code: str, message: str) -> Result:
    return Result(Source(path, ""), (Diagnostic(code, code, message, 0, 0),))


def _os_error(error: OSError) -> str:
    return f"{error.strerror} (os error {error.errno})" if error.strerror else str(error)


def _exception(error: Exception) -> str:
    said = str(error).partition("\n")[0][:200]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _death(error: Exception) -> str:
    """What became of the worker that had a file."""
    import concurrent.futures

    import pebble

    if isinstance(error, (TimeoutError, concurrent.futures.TimeoutError)):
        return "the linter took too long and was stopped"
    if isinstance(error, pebble.ProcessExpired):
        code = error.exitcode
        if code is not None and code < 0:
            return f"the linter crashed on this file ({signal.strsignal(-code) or f'signal {-code}'})"
        return f"the linter crashed on this file (exit code {code})"
    return _exception(error)
