"""The place of panicguard's language server, `panicguard_lsp`. There is no server in it yet."""

from __future__ import annotations
