"""Several exceptions in one: Python's own, or before Python 3.11 one of the same shape."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

if sys.version_info >= (3, 11):
    from builtins import BaseExceptionGroup, ExceptionGroup
else:

    class BaseExceptionGroup(BaseException):
        """`exceptions` that were raised together. As Python 3.11's, but that `except*` needs a newer Python."""

        __mruntime_group__ = True

        message: str
        exceptions: tuple[BaseException, ...]

        def __new__(cls, message: str, exceptions: Sequence[BaseException]) -> BaseExceptionGroup:
            """ExceptionGroup if all are Exceptions. ValueError if there are none."""
            if not exceptions:
                raise ValueError("second argument (exceptions) must be a non-empty sequence")
            plain = cls is BaseExceptionGroup and all(isinstance(exc, Exception) for exc in exceptions)
            kind: Any = ExceptionGroup if plain else cls
            self: Any = super().__new__(kind, message, exceptions)
            self.message, self.exceptions = message, tuple(exceptions)
            return cast("BaseExceptionGroup", self)

        def __str__(self) -> str:
            n = len(self.exceptions)
            return f"{self.message} ({n} sub-exception{'s' * (n > 1)})"

        def derive(self, exceptions: Sequence[BaseException]) -> BaseExceptionGroup:
            """A group of these with the same message."""
            return BaseExceptionGroup(self.message, exceptions)

        def subgroup(self, condition: Any) -> BaseExceptionGroup | None:
            """Those in it, however deep, that are of this class, these classes, or fulfil this function."""
            return self.split(condition)[0]

        def split(self, condition: Any) -> tuple[BaseExceptionGroup | None, BaseExceptionGroup | None]:
            """Those that `subgroup` keeps, and the rest."""
            kinds = isinstance(condition, (type, tuple))
            fits: Callable[[BaseException], bool] = (lambda exc: isinstance(exc, condition)) if kinds else condition
            if fits(self):
                return self, None
            fitting: list[BaseException] = []
            others: list[BaseException] = []
            for exc in self.exceptions:
                if isinstance(exc, BaseExceptionGroup):
                    inside, outside = exc.split(condition)
                    fitting += [] if inside is None else [inside]
                    others += [] if outside is None else [outside]
                else:
                    (fitting if fits(exc) else others).append(exc)
            return self._like(fitting), self._like(others)

        def _like(self, exceptions: Sequence[BaseException]) -> BaseExceptionGroup | None:
            if not exceptions:
                return None
            group = self.derive(exceptions)
            group.__cause__, group.__context__ = self.__cause__, self.__context__
            return group.with_traceback(self.__traceback__)

    class ExceptionGroup(BaseExceptionGroup, Exception):  # noqa: N818  (Python's name)
        """A group of Exceptions."""


__all__ = ["BaseExceptionGroup", "ExceptionGroup"]
