"""panicguard's language server, `panicguard server`: what the command line finds, in an editor.

convert        the border: values of the protocol, positions in the client's encoding
protocol       messages in and out, and what becomes of bad ones
server         what the server knows and does, and which message leads to what
lifecycle      from `initialize` to `exit`, and the settings in between
sync           documents that are opened, changed and closed
pull           diagnostics that the client asks for
answers        actions, hovers and commands
documents      the open documents and notebooks
configuration  the settings of a file, with those of the editor on top
preferences    what the editor's settings say
actions        what can be done about a diagnostic
process        the worker as the server sees it
worker         the worker itself: `jobs`, one after another
jobs           checking, fixing, explaining: pure functions
hover          what is to say about a place; the spawns there are found by `hover_python` and `hover_go`
"""

from __future__ import annotations
