"""`cst`, loaded at first use: a run that never parses must not pay libcst's 200-300 ms of import."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import libcst as cst
else:
    import abc
    import dataclasses
    import functools
    import types

    class _Lazy(types.ModuleType):
        def __getattr__(self, name):
            original = dataclasses.dataclass
            dataclasses.dataclass = functools.partial(_light, original)
            try:
                import libcst
            finally:
                dataclasses.dataclass = original
            _make_light(libcst.CSTNode)
            value = getattr(libcst, name)
            setattr(self, name, value)
            return value

    def _light(original, kind=None, **options):
        """Make a dataclass; of a class of nodes without what all nodes inherit anyway, or what keeps them from being
        changed. To compile that for 170 classes takes half the time of the import."""
        if kind is None:
            return functools.partial(_light, original, **options)
        if any(base.__name__ == "CSTNode" for base in kind.__mro__):
            bases = (getattr(base, "__dataclass_params__", None) for base in kind.__mro__[1:])
            frozen = any(base is not None and base.frozen for base in bases)
            options = {**options, "repr": False, "eq": False, "frozen": frozen}
        return original(kind, **options)

    class _Kind(abc.ABCMeta):
        __instancecheck__ = type.__instancecheck__

    def _make_light(kind):
        """Hash nodes as libcst does, but in C: they are keys in tables all the time. And ask for their classes in C:
        nobody registers others as theirs, which is all that abstract classes look for beyond it."""
        kinds = {kind}
        while kinds:
            inner = {sub for kind in kinds for sub in type.__subclasses__(kind) if type(sub) is not _Kind}
            for kind in kinds:
                kind.__hash__ = object.__hash__
                kind.__class__ = _Kind
            kinds = inner

    cst = _Lazy("cst")

if TYPE_CHECKING:
    from libcst import CSTNode

__all__ = ["cst", "parsed"]


def parsed(text: str) -> cst.Module | None:
    """The module in a text (newlines all `\n`); None where libcst cannot parse it."""
    # Nodes validate themselves as if written by hand: half the time of a parse, for what cannot be wrong.
    validate = cst.CSTNode.__post_init__
    cst.CSTNode.__post_init__ = _valid  # type: ignore[method-assign, assignment]
    try:
        return cst.parse_module(text)
    except (cst.ParserSyntaxError, cst.CSTLogicError, TypeError):
        return None
    finally:
        cst.CSTNode.__post_init__ = validate  # type: ignore[method-assign]


def _valid(_: CSTNode) -> None: ...
