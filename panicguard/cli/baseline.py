"""A run against its baseline: read it, leave out what it knows, and write it anew where that is asked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from panicguard.config import ConfigError
from panicguard.files import links
from panicguard.files.reading import read
from panicguard.report.width import one_line
from panicguard.run import atomic, baseline
from panicguard.run.task import Does

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from panicguard.config.options import Options
    from panicguard.diagnostic import Result
    from panicguard.run.baseline import Baseline
    from panicguard.run.task import Task
    from panicguard.settings import Settings


class Held(NamedTuple):
    """The results without the known findings, how many those are, and what to tell the user."""

    results: list[Result]
    known: int
    said: str | None


class Loaded(NamedTuple):
    """A baseline as it was before the run; `text` is None where there is none yet."""

    path: str
    text: str | None
    known: Baseline


def load(path: str, *, update: bool) -> Loaded:
    """The baseline at `path`, which need not exist for an `update`. Raises ConfigError."""
    text = _read(path)
    if text is None and not update:
        raise _error("read", path, "there is no such file; create it with `--update-baseline`")
    try:
        return Loaded(path, text, {} if text is None else baseline.parse(text))
    except baseline.BaselineError as error:
        raise _error("read", path, str(error)) from None


def refuse_links(path: str, root: str | None) -> None:
    """Raise ConfigError for a baseline that is not to be written where it is: it leads out of the current directory
    though it is named as one in it, or the settings of the project in `root` give it, and it lies outside of that."""
    if root is not None and links.leads_out(path, root):
        raise _error(
            "write",
            path,
            f"the settings name it, but it is outside of `{root}`; only `--baseline` may name such a file",
        )
    if links.escapes(path):
        raise _error("write", path, f"it is a link to `{os.path.realpath(path)}`, outside of the current directory")


def hold(
    loaded: Loaded,
    results: Sequence[Result],
    options: Options,
    settings_for: Callable[[str], Settings],
    task: Task,
) -> Held:
    """What is new beside the baseline, which is written first where the options say so. Raises ConfigError.

    An entry that is not found any more is gone if this run looked for it: in the files it was asked for that are not
    broken, by the rules it was asked for.
    """
    path, text, old = loaded
    shown = os.path.relpath(path)
    root = os.path.dirname(os.path.abspath(path))
    tops = [os.path.abspath(top) for top in options.paths or (options.stdin_filename or ".",)]
    broken = {os.path.abspath(r.source.path) for r in results if not all(d.is_rule for d in r.diagnostics)}
    all_rules = options.select is None and not options.ignore and not options.extend_ignore

    def path_of(path: str) -> str:
        return path if path == "-" else os.path.relpath(path, root).replace(os.sep, "/")

    def looked_for(entry: baseline.Entry) -> bool:
        path = os.path.normpath(os.path.join(root, entry.path))
        below = any(path == top or path.startswith(top.rstrip(os.sep) + os.sep) for top in tops)
        if not below or path in broken:
            return False
        return all_rules or entry.code in settings_for(os.path.dirname(path)).enabled

    if options.update_baseline:
        new = baseline.updated(old, results, path_of, looked_for)
        _write(path, text, baseline.dump(new))
        judged = baseline.judge(new, results, path_of)
        return Held(judged.results, judged.known, f"Wrote {_findings(sum(new.values()))} to `{shown}`.")
    judged = baseline.judge(old, results, path_of)
    gone = sum(count for entry, count in judged.rest.items() if looked_for(entry))
    if not gone or task.does is Does.DIFF:
        return Held(judged.results, judged.known, None)
    are, them = ("is", "it") if gone == 1 else ("are", "them")
    said = f"`{shown}` lists {_findings(gone)} that {are} gone; remove {them} with `--update-baseline`."
    return Held(judged.results, judged.known, said)


def _findings(count: int) -> str:
    return "1 finding" if count == 1 else f"{count} findings"


def _read(path: str) -> str | None:
    """The text of the file, byte for byte; None where there is no file."""
    try:
        return read(path).decode()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _error("read", path, error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise _error("read", path, "it is not UTF-8") from None


def _write(path: str, old: str | None, new: str) -> None:
    try:
        if old is None:
            with open(path, "x", encoding="utf-8", newline="") as file:
                file.write(new)
        elif old != new and not atomic.replace(path, old.encode(), new.encode()):
            raise _error("write", path, "it changed meanwhile")
    except OSError as error:
        raise _error("write", path, error.strerror or str(error)) from None


def _error(what: str, path: str, why: str) -> ConfigError:
    return ConfigError(f"Failed to {what} the baseline `{one_line(os.path.relpath(path))}`", one_line(why))
