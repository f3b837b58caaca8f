"""`cst`, loaded at first use: a run that never parses must not pay libcst's 200-300 ms of import."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import libcst as cst
else:
    import types

    class _Lazy(types.ModuleType):
        def __getattr__(self, name):
            import libcst

            # The same, an object's identity, but in C: the nodes are keys in tables all the time.
            libcst.CSTNode.__hash__ = object.__hash__
            value = getattr(libcst, name)
            setattr(self, name, value)
            return value

    cst = _Lazy("cst")

__all__ = ["cst"]
