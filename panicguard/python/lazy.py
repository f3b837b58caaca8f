"""`cst`, loaded at first use: a run that never parses must not pay libcst's 200-300 ms of import."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import libcst as cst
else:

    def _lazily(name):
        if name in sys.modules:
            return sys.modules[name]
        spec = importlib.util.find_spec(name)
        spec.loader = importlib.util.LazyLoader(spec.loader)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    cst = _lazily("libcst")

__all__ = ["cst"]
