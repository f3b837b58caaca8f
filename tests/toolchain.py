"""The Go toolchain that is a package of Python, and how it is run: with nothing from the network."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

GOROOT = Path(sysconfig.get_path("purelib")) / "go"
GO, GOFMT = GOROOT / "bin" / "go", GOROOT / "bin" / "gofmt"
ENV = {**os.environ, "GOROOT": str(GOROOT), "GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": "-mod=mod"}


def sources() -> list[Path]:
    """The Go files of its own source, in order."""
    return sorted(path for path in (GOROOT / "src").rglob("*.go") if path.is_file())
