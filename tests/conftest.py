"""What all tests need."""

from __future__ import annotations

import signal

# A job in the background starts with Ctrl-C ignored, and so would all the programs that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
