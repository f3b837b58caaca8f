"""The interpreters to run the runtime's programs on."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSIONS = ("3.10", "3.11", "3.12", "3.13")


@functools.cache
def pythons() -> dict[str, str]:
    """Version -> interpreter: the running one, and those of the supported versions that are installed."""
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    found = {here: sys.executable}
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for version in VERSIONS:
        paths = [*map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/python"))), shutil.which(f"python{version}")]
        for path in paths:
            if version not in found and path is not None and _version_of(path) == version:
                found[version] = path
    return {version: found[version] for version in sorted(found, key=lambda version: int(version.split(".")[1]))}


def _version_of(python: str) -> str:
    # A name on the path may be a shim for a version that is not switched on.
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-S", "-c", code], capture_output=True, text=True, timeout=15, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
