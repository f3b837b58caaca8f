"""From `initialize` to `exit`, and the settings that the client sends in between."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from . import convert

if TYPE_CHECKING:
    from lsprotocol import types

    from .server import Server


PARENT = 0.4
"""Seconds between two looks whether the client still lives."""


def initialize(ls: Server, params: types.InitializeParams) -> types.InitializeResult:
    ls.client = convert.client(params)
    ls.tracing = convert.traces(params.trace)
    ls.configuration.folders = convert.folders(params)
    given = params.initialization_options
    given = given if isinstance(given, dict) else {}
    everywhere, here = given.get("globalSettings"), given.get("settings", given)
    if isinstance(here, list):  # of each folder its own
        for own in here:
            folder = convert.path(str(own.get("workspace") or own.get("cwd"))) if isinstance(own, dict) else None
            if folder is not None:
                ls.prefer(own, folder)
        here = everywhere
    ls.prefer(here if here is not None else everywhere)
    ls.reload()
    ls.protocol.state = "running"
    if params.process_id is not None:
        ls.background(_watch(ls, params.process_id))
    return convert.initialize_result(ls.client)


async def initialized(ls: Server, params: types.InitializedParams) -> None:
    ls.background(ls.worker.start())
    if ls.client.watch:
        await ls.client_register_capability_async(convert.watchers())


def shutdown(ls: Server, params: None) -> None:
    ls.protocol.state = "down"


def leave(ls: Server, params: None) -> None:
    ls.leave(0 if ls.protocol.state == "down" else 1)


def set_trace(ls: Server, params: types.SetTraceParams) -> None:
    ls.tracing = convert.traces(params.value)


async def _watch(ls: Server, process: int) -> None:
    """End the server when its client has gone without a word."""
    if sys.platform == "win32" or not _lives(process):
        return
    while _lives(process):  # noqa: ASYNC110 (nothing tells of the end of a process that is not a child)
        await asyncio.sleep(PARENT)
    ls.leave(1)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


async def did_change_configuration(ls: Server, params: types.DidChangeConfigurationParams) -> None:
    given = params.settings
    if not given and ls.client.configuration:
        folders = ls.configuration.folders
        own, *of_folders = await ls.workspace_configuration_async(convert.configuration_of(folders)) or [None]
        for folder, its in zip(folders, of_folders, strict=False):
            ls.prefer(its, folder)
        given = {convert.NAME: own or {}}
    given = given if isinstance(given, dict) else {}
    its = given.get(convert.NAME, given)
    ls.prefer(its.get("settings", its) if isinstance(its, dict) else its)
    ls.reload()


def did_change_watched_files(ls: Server, params: types.DidChangeWatchedFilesParams) -> None:
    ls.reload()


def did_change_workspace_folders(ls: Server, params: types.DidChangeWorkspaceFoldersParams) -> None:
    gone = {convert.path(folder.uri) for folder in params.event.removed}
    come = [path for folder in params.event.added if (path := convert.path(folder.uri)) is not None]
    stay = [folder for folder in ls.configuration.folders if folder not in gone]
    ls.configuration.folders = [*dict.fromkeys((*stay, *come))]
    ls.reload()
