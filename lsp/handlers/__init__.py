"""The handlers of messages: plain functions of the server and a message's parameters. `panicguard_lsp.main` says which
message each handles."""

from __future__ import annotations
