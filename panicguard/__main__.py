"""The entry point: what needs nothing but the version is answered before anything else is imported."""

from __future__ import annotations

import gc
import sys

from panicguard.cli import streams

_GARBAGE = 100_000
"""New objects before the garbage collector looks for cycles. There are next to none, and at its usual 700 it takes a
twentieth of a run to go through the modules and libcst's classes while they are loaded."""


def main() -> int:
    """Run the command line; the exit code."""
    gc.set_threshold(_GARBAGE)
    try:
        streams.prepare()
        return streams.finish(_run())
    except OSError as error:  # before any command could begin, such as too few file descriptors for an import
        return streams.refused(error)
    except ImportError as error:
        return streams.failed(f"A library cannot be loaded, for want of memory or because it is not installed: {error}")
    except MemoryError:
        return streams.failed("There is not enough memory")
    except KeyboardInterrupt:  # while the command line is loaded
        return 130


def _run() -> int:
    if sys.argv[1:] in (["--version"], ["-V"], ["version"]):
        from panicguard import __version__

        sys.stdout.write(f"panicguard {__version__}\n")
        return 0
    from panicguard.cli.commands import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
        del sys.path[0]  # the current directory: nothing of the project that is checked may be imported
    sys.exit(main())
