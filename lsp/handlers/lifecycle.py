"""From `initialize` to `exit`, and changes of the settings in between."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from ..proto import capabilities, from_proto, to_proto

if TYPE_CHECKING:
    from lsprotocol import types

    from ..server import Server


CLIENT_POLL = 0.4
"""Seconds between two checks that the client's process still lives."""


def initialize(ls: Server, params: types.InitializeParams) -> types.InitializeResult:
    ls.client = capabilities.client(params)
    ls.tracing = from_proto.wants_trace(params.trace)
    ls.configuration.folders = from_proto.folders(params)
    options = params.initialization_options
    options = options if isinstance(options, dict) else {}
    everywhere, preferences = options.get("globalSettings"), options.get("settings", options)
    if isinstance(preferences, list):  # those of each folder
        for of_folder in preferences:
            _set_folder_preferences(ls, of_folder)
        preferences = everywhere
    ls.set_preferences(preferences if preferences is not None else everywhere)
    ls.reload()
    ls.protocol.state = "running"
    if params.process_id is not None:
        ls.background(_watch(ls, params.process_id))
    return capabilities.initialize_result(ls.client)


def _set_folder_preferences(ls: Server, preferences: object) -> None:
    """Set the settings of the workspace folder that they name."""
    if not isinstance(preferences, dict):
        return
    folder = from_proto.path(str(preferences.get("workspace") or preferences.get("cwd")))
    if folder is not None:
        ls.set_preferences(preferences, folder)


async def initialized(ls: Server, params: types.InitializedParams) -> None:
    ls.background(ls.worker.start())
    if ls.client.watch:
        await ls.client_register_capability_async(capabilities.watchers())


def shutdown(ls: Server, params: None) -> None:
    ls.protocol.state = "down"


def leave(ls: Server, params: None) -> None:
    ls.request_exit(0 if ls.protocol.state == "down" else 1)


def set_trace(ls: Server, params: types.SetTraceParams) -> None:
    ls.tracing = from_proto.wants_trace(params.value)


async def _watch(ls: Server, process: int) -> None:
    """End the server if its client ends without telling it."""
    if sys.platform == "win32" or not _lives(process):
        return
    while _lives(process):  # noqa: ASYNC110 (there is no event for the end of a process that is not a child)
        await asyncio.sleep(CLIENT_POLL)
    ls.request_exit(1)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


async def did_change_configuration(ls: Server, params: types.DidChangeConfigurationParams) -> None:
    settings = params.settings
    if not settings and ls.client.configuration:
        folders = ls.configuration.folders
        asked = to_proto.configuration_of(folders)
        everywhere, *of_folders = await ls.workspace_configuration_async(asked) or [None]
        for folder, of_folder in zip(folders, of_folders, strict=False):
            ls.set_preferences(of_folder, folder)
        settings = {capabilities.NAME: everywhere or {}}
    settings = settings if isinstance(settings, dict) else {}
    section = settings.get(capabilities.NAME, settings)
    ls.set_preferences(section.get("settings", section) if isinstance(section, dict) else section)
    ls.reload()


def did_change_watched_files(ls: Server, params: types.DidChangeWatchedFilesParams) -> None:
    ls.reload()


def did_change_workspace_folders(ls: Server, params: types.DidChangeWorkspaceFoldersParams) -> None:
    removed = {from_proto.path(folder.uri) for folder in params.event.removed}
    added = [path for folder in params.event.added if (path := from_proto.path(folder.uri)) is not None]
    kept = [folder for folder in ls.configuration.folders if folder not in removed]
    ls.configuration.folders = [*dict.fromkeys((*kept, *added))]
    ls.reload()
