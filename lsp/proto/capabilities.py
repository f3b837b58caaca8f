"""What the client and the server can do: the two sides of `initialize`."""

from __future__ import annotations

from dataclasses import dataclass

from lsprotocol import types

from panicguard import __version__
from panicguard.config import discovery
from panicguard.files import gomod
from panicguard.settings import CONFIG_FILES

from .from_proto import plain
from .positions import ENCODINGS

NAME = "panicguard"
FIX_ALL = f"source.fixAll.{NAME}"
NOTEBOOK_FIX_ALL = f"notebook.{FIX_ALL}"
COMMANDS = tuple(
    f"{NAME}.{name}" for name in ("applyAutofix", "reloadSettings", "printDebugInformation", "openDocumentation")
)
WATCHED = (*dict.fromkeys((*CONFIG_FILES, *discovery.RUFF_FILES)), "go.mod", gomod.MANIFEST)
"""The names of the files that settings come from; every copy of the runtime has a manifest."""


@dataclass(frozen=True, slots=True)
class Client:
    """What the client can do."""

    encoding: str = "utf-16"
    pull: bool = False
    related: bool = False
    """Whether it reads the related information of a diagnostic."""
    refresh: bool = False
    resolve: bool = False
    document_changes: bool = False
    apply_edit: bool = False
    watch: bool = False
    configuration: bool = False
    show_document: bool = False


def client(params: types.InitializeParams) -> Client:
    """The client that sent an `initialize`."""
    can = params.capabilities
    general, workspace, text, window = can.general, can.workspace, can.text_document, can.window
    offered = map(plain, (general and general.position_encodings) or ())
    action = text.code_action if text else None
    resolve = action.resolve_support if action else None
    return Client(
        encoding=next((encoding for encoding in offered if encoding in ENCODINGS), "utf-16"),
        pull=bool(text and text.diagnostic),
        related=bool(text and text.publish_diagnostics and text.publish_diagnostics.related_information),
        refresh=bool(workspace and workspace.diagnostics and workspace.diagnostics.refresh_support),
        resolve=bool(action and action.data_support and resolve and "edit" in resolve.properties),
        document_changes=bool(workspace and workspace.workspace_edit and workspace.workspace_edit.document_changes),
        apply_edit=bool(workspace and workspace.apply_edit),
        watch=bool(workspace and (watched := workspace.did_change_watched_files) and watched.dynamic_registration),
        configuration=bool(workspace and workspace.configuration),
        show_document=bool(window and window.show_document and window.show_document.support),
    )


def initialize_result(client: Client) -> types.InitializeResult:
    """The answer to `initialize`: what the server can do."""
    return types.InitializeResult(
        capabilities=types.ServerCapabilities(
            position_encoding=types.PositionEncodingKind(client.encoding),
            text_document_sync=types.TextDocumentSyncOptions(
                open_close=True,
                change=types.TextDocumentSyncKind.Incremental,
                will_save=False,
                will_save_wait_until=False,
            ),
            notebook_document_sync=types.NotebookDocumentSyncOptions(
                notebook_selector=[
                    types.NotebookDocumentFilterWithCells(cells=[types.NotebookCellLanguage(language="python")])
                ],
                save=False,
            ),
            code_action_provider=types.CodeActionOptions(
                code_action_kinds=[types.CodeActionKind.QuickFix, FIX_ALL, NOTEBOOK_FIX_ALL],
                resolve_provider=True,
                work_done_progress=True,
            ),
            diagnostic_provider=types.DiagnosticOptions(
                inter_file_dependencies=True, workspace_diagnostics=True, identifier=NAME, work_done_progress=True
            ),
            execute_command_provider=types.ExecuteCommandOptions(commands=COMMANDS, work_done_progress=False),
            hover_provider=True,
            workspace=types.WorkspaceOptions(
                workspace_folders=types.WorkspaceFoldersServerCapabilities(supported=True, change_notifications=True)
            ),
        ),
        server_info=types.ServerInfo(name=NAME, version=__version__),
    )


def watchers() -> types.RegistrationParams:
    """The request for notifications when a configuration file changes."""
    options = types.DidChangeWatchedFilesRegistrationOptions(
        watchers=[types.FileSystemWatcher(glob_pattern=f"**/{name}") for name in WATCHED]
    )
    return types.RegistrationParams(
        [
            types.Registration(
                id=f"{NAME}-watch", method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES, register_options=options
            )
        ]
    )
