"""The border to the protocol: the only code that creates values of lsprotocol or counts code units.

positions     positions in the client's encoding, and offsets
from_proto    what messages say, as plain values
to_proto      findings, edits and texts as values of the protocol
capabilities  what the client and the server can do
"""

from __future__ import annotations
