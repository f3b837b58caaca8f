"""The programs that the runtime's tests run, and the interpreters to run them on."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import panicguard.mruntime as runtime

VERSIONS = ("3.10", "3.11", "3.12", "3.13")
PACKAGE = Path(runtime.__file__).parent
IMPORT = re.compile(r"\b(from|import) mruntime\b")


def program(folder: Path, code: str) -> tuple[str, dict[str, str]]:
    """A program that may import from `mruntime`, whatever the package is called here, and its environment."""
    script = folder / "program.py"
    script.write_text(IMPORT.sub(rf"\1 {PACKAGE.name}", textwrap.dedent(code)), encoding="utf-8")
    return str(script), {**os.environ, "PYTHONPATH": str(PACKAGE.parent), "PYTHONUNBUFFERED": ""}


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
