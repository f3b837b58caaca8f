"""Which keys apply to a file: those of its configuration file, of what that extends, and of Ruff below them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from panicguard.config import toml
from panicguard.config.discovery import mentions
from panicguard.config.errors import ConfigError
from panicguard.config.keys import Keys, expanded, from_black, from_document, from_ruff
from panicguard.report.width import one_line

if TYPE_CHECKING:
    from panicguard.config.discovery import ConfigFiles


_OF_USE = (b"exclude", b"extend", b"line-length", b"target-version")
"""Where panicguard has no configuration, Ruff's is parsed only if it contains one of these: parsing TOML takes time."""


class Chain(NamedTuple):
    """All keys that apply to some files, the last one wins, and the directory that relative patterns start from."""

    own: tuple[Keys, ...]
    root: str
    path: str | None = None
    """The configuration file, if there is one."""
    ruff: tuple[Keys, ...] = ()
    """What is taken from Black's configuration and Ruff's where `own` does not set it."""

    def above(self, *keys: Keys) -> Chain:
        """The chain with stronger keys."""
        return self._replace(own=(*self.own, *keys))

    def below(self, *keys: Keys) -> Chain:
        """The chain with weaker keys."""
        return self._replace(own=(*keys, *self.own))

    @property
    def keys(self) -> tuple[Keys, ...]:
        """All keys, Black's and Ruff's first, and of those only the ones that are set nowhere else."""
        inherits = True
        for keys in self.own:
            inherits = keys.values.get("inherit-ruff", inherits)
        if not inherits:
            return self.own
        own = {key for keys in self.own for key in keys.values}
        ruff = (
            keys._replace(values={key: value for key, value in keys.values.items() if key not in own})
            for keys in self.ruff
        )
        return (*ruff, *self.own)


def of(files: ConfigFiles) -> Chain:
    """The chain of what was found for a directory. Raises ConfigError."""
    keys = () if files.path is None else _extended((files.path,), files.root, named=files.named)
    keys = tuple(layer._replace(by_user=files.named) for layer in keys)
    ruff: tuple[Keys, ...] = () if files.black is None else _black(files.black)
    if files.ruff is not None and (files.path is not None or mentions(files.ruff, *_OF_USE)):
        ruff += _ruff((files.ruff,))
    return Chain(keys, files.root or os.path.dirname(files.path or ""), files.path, ruff)


def _extended(paths: tuple[str, ...], root: str | None, *, named: bool) -> tuple[Keys, ...]:
    """The keys of a file and of all that it extends, weakest first; `paths` is the chain of files that led to it,
    itself last.

    `named`: the user has named the file.
    """
    path = paths[-1]
    directory = os.path.dirname(path)
    try:
        document = toml.read(path, None if named else os.path.dirname(paths[0]))
    except ConfigError as error:
        if len(paths) == 1:
            raise
        path = one_line(path)
        extends = f"`{one_line(paths[-2])}` extends `{path}`"
        causes = error.causes[1:] if error.causes[0].startswith("Failed to load") else error.causes
        raise ConfigError(f"Failed to load extended configuration `{path}` ({extends})", *causes) from None
    own = from_document(document, root or directory)
    names = own.values.get("extend", ())
    below: tuple[Keys, ...] = ()
    for name in (names,) if isinstance(names, str) else names:
        other = expanded(name, directory)
        try:
            if other in paths:
                circle = " extends ".join(f"`{one_line(member)}`" for member in (*paths, other))
                raise ConfigError(f"Circular configuration detected: {circle}")
            below += _extended((*paths, other), root, named=False)
        except ConfigError:
            if document.outside is None:
                raise
            raise document.error(own.places["extend"], "") from None  # an error that must not quote the file
    return (*below, own)


def _ruff(paths: tuple[str, ...]) -> tuple[Keys, ...]:
    """What is taken from a configuration file of Ruff's and those it extends, weakest first. Errors in them, circles
    included, are for Ruff to report."""
    path = paths[-1]
    directory = os.path.dirname(path)
    try:
        document = toml.read(path)
    except ConfigError:
        warning = f"Ruff's configuration `{path}` cannot be read: nothing is taken from it"
        return (Keys({}, directory, warnings=(warning,)),)
    own, extended = from_ruff(document, directory)
    other = None if extended is None else expanded(extended, directory)
    return (own,) if other is None or other in paths else (*_ruff((*paths, other)), own)


def _black(path: str) -> tuple[Keys, ...]:
    """What is taken from a configuration file of Black's, whose errors are for Black to report."""
    try:
        return (from_black(toml.read(path), os.path.dirname(path)),) if mentions(path, b"line-length") else ()
    except ConfigError:
        return ()
