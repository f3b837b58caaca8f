"""The one error of the configuration."""

from __future__ import annotations


class ConfigError(Exception):
    """The user's mistake in the configuration: the causes, the outermost first, of one line or more each."""

    def __init__(self, *causes: str) -> None:
        super().__init__("\n".join(causes))
        self.causes = causes
