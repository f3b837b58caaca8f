"""The settings of a file: those of the command line's resolver, with the editor's on top."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from panicguard import files, gomod, settings
from panicguard.options import chain_for_options, settings_for_options
from panicguard.settings import ConfigError

from .preferences import DEFAULT, Preferences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from panicguard.settings import Settings


_LAST = "The last good settings hold."


class Configuration:
    """The settings of all workspace folders, and the last good ones of each directory. A thread may ask for some while
    they are read anew.

    `say` is told of each fault once, until the next `reload`, and whether it is an error or only a warning. What is put
    into `folders` and `given` holds from the next `reload` on.
    """

    def __init__(self, say: Callable[[str, bool], None]) -> None:
        self._say = say
        self.folders: list[str] = []
        self.given: dict[str, Preferences] = {}
        """What the editor says, by folder; under an empty name what it says for all others."""
        self._resolvers: dict[str, Callable[[str], Settings]] = {}
        self._good: dict[str, Settings] = {}
        self._said: set[str] = set()

    def reload(self) -> None:
        """Read everything anew."""
        self._resolvers.clear()
        self._said.clear()
        settings.forget()
        files.runtime_in.cache_clear()
        files.is_runtime_copy.cache_clear()
        gomod.forget()

    def preferences(self, path: str) -> Preferences:
        """What the editor says for a file."""
        return self._of_folder(self.folder(path))

    def folder(self, path: str) -> str:
        """The workspace folder of a file, the innermost; its own directory if it is in none."""
        above = [folder for folder in self.folders if path == folder or path.startswith(f"{folder.rstrip('/')}/")]
        return max(above, key=len) if above else os.path.dirname(path)

    def settings(self, path: str) -> Settings | None:
        """The settings that hold for a file; None where it is excluded, or nothing is to be said at all."""
        folder = self.folder(path)
        if not self._of_folder(folder).enable or os.path.isdir(path):
            return None
        found = files.discover((path,), lambda directory: self._resolve(folder, directory))
        return next((its for found_path, its in found if found_path == path), None)

    def files(self, folder: str) -> Iterator[tuple[str, Settings]]:
        """The files of a folder with their settings."""
        if not self._of_folder(folder).enable:
            return iter(())
        return files.discover((folder,), lambda directory: self._resolve(folder, directory))

    def in_force(self, path: str) -> str | None:
        """The configuration file that holds for a file."""
        folder = self.folder(path)
        its = self._of_folder(folder)
        try:
            found_for, _ = chain_for_options(its.options, folder, files_first=its.files_first)
            return found_for(os.path.dirname(path)).path
        except (ConfigError, click.ClickException):
            return None

    def _of_folder(self, folder: str) -> Preferences:
        return self.given.get(folder) or self.given.get("") or Preferences()

    def _resolve(self, folder: str, directory: str) -> Settings:
        try:
            resolver = self._resolvers.get(folder)
            if resolver is None:
                its = self._of_folder(folder)
                resolver = settings_for_options(its.options, folder, files_first=its.files_first)
                self._resolvers[folder] = resolver
            found = self._good[directory] = resolver(directory)
            for warning in found.warnings:
                self._complain(warning, error=False)
            return found
        except ConfigError as error:
            self._complain("\n".join((*error.causes, _LAST)))
        except click.ClickException as error:
            self._complain(f"{error.message}\n{_LAST}")
        good = self._good.get(directory)
        return good or settings_for_options(replace(DEFAULT, isolated=True), folder)(directory)

    def _complain(self, fault: str, *, error: bool = True) -> None:
        if fault not in self._said:
            self._said.add(fault)
            self._say(fault.replace("from the CLI", "from the settings of the editor"), error)
