"""The settings of a file: those that the command line would use, overridden by those of the editor."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from panicguard import config
from panicguard.config import ConfigError
from panicguard.config.options import chain_for_options, settings_for_options
from panicguard.files import discover, gomod, runtime

from .preferences import DEFAULT, Preferences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from panicguard.settings import Settings


_LAST = "The last good settings stay in effect."


class Configuration:
    """The settings of all workspace folders, and the last good ones of each directory. A thread may go through `files`
    while another one reloads.

    `report` is called once for each fault until the next `reload`, with whether it is an error or only a warning.
    Changes of `folders` and `preferences_of` take effect with the next `reload`.
    """

    def __init__(self, report: Callable[[str, bool], None]) -> None:
        self._report = report
        self.folders: list[str] = []
        self.preferences_of: dict[str, Preferences] = {}
        """The editor's settings by folder; those under an empty name are for all other folders."""
        self._resolvers: dict[str, Callable[[str], Settings]] = {}
        self._good: dict[str, Settings] = {}
        self._reported: set[str] = set()

    def reload(self) -> None:
        """Forget everything that was read from files, so that it is read again."""
        self._resolvers.clear()
        self._reported.clear()
        config.forget()
        runtime.runtime_in.cache_clear()
        runtime.is_runtime_copy.cache_clear()
        gomod.forget()

    def preferences(self, path: str) -> Preferences:
        """The editor's settings for a file."""
        return self._of_folder(self.folder(path))

    def folder(self, path: str) -> str:
        """The innermost workspace folder that contains a file; without one, the directory of the file."""
        above = [folder for folder in self.folders if path == folder or path.startswith(f"{folder.rstrip('/')}/")]
        return max(above, key=len) if above else os.path.dirname(path)

    def settings(self, path: str) -> Settings | None:
        """The settings of a file; None if it is excluded, or panicguard is disabled for it."""
        folder = self.folder(path)
        if not self._of_folder(folder).enable or os.path.isdir(path):
            return None
        discovered = discover.discover((path,), lambda directory: self._resolve(folder, directory))
        return next((config for discovered_path, config in discovered if discovered_path == path), None)

    def files(self, folder: str) -> Iterator[tuple[str, Settings]]:
        """The files of a folder, each with its settings."""
        if not self._of_folder(folder).enable:
            return iter(())
        return discover.discover((folder,), lambda directory: self._resolve(folder, directory))

    def in_force(self, path: str) -> str | None:
        """The configuration file that the settings of a file come from."""
        folder = self.folder(path)
        preferences = self._of_folder(folder)
        try:
            chain_for, _ = chain_for_options(preferences.options, folder, files_first=preferences.files_first)
            return chain_for(os.path.dirname(path)).path
        except (ConfigError, click.ClickException):
            return None

    def _of_folder(self, folder: str) -> Preferences:
        return self.preferences_of.get(folder) or self.preferences_of.get("") or Preferences()

    def _resolve(self, folder: str, directory: str) -> Settings:
        try:
            resolver = self._resolvers.get(folder)
            if resolver is None:
                preferences = self._of_folder(folder)
                resolver = settings_for_options(preferences.options, folder, files_first=preferences.files_first)
                self._resolvers[folder] = resolver
            resolved = self._good[directory] = resolver(directory)
            for warning in resolved.warnings:
                self._report_once(warning, error=False)
            return resolved
        except ConfigError as error:
            self._report_once("\n".join((*error.causes, _LAST)))
        except click.ClickException as error:
            self._report_once(f"{error.message}\n{_LAST}")
        good = self._good.get(directory)
        return good or settings_for_options(DEFAULT._replace(isolated=True), folder)(directory)

    def _report_once(self, fault: str, *, error: bool = True) -> None:
        if fault not in self._reported:
            self._reported.add(fault)
            self._report(fault.replace("from the CLI", "from the settings of the editor"), error)
