"""The entry point: what needs nothing but the version is answered before anything else is imported."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; the exit code."""
    if sys.argv[1:] in (["--version"], ["-V"], ["version"]):
        from panicguard import __version__

        print(f"panicguard {__version__}")
        return 0
    from panicguard.cli import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
        del sys.path[0]  # the current directory: nothing of the project that is checked may be imported
    sys.exit(main())
