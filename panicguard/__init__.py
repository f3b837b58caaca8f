"""panicguard: no bare spawns.

This module holds the version and nothing else, so that `panicguard --version` imports nothing.
"""

from __future__ import annotations

__version__ = "0.1.0"
