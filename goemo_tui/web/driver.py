"""Textual's driver for a browser, which ends the app when the server that it talks to has gone.

Textual's own would go on for ever, unseen: its thread ends, and nobody tells the app.
"""

from __future__ import annotations

import os
import signal

from textual.drivers.web_driver import WebDriver


class PipeDriver(WebDriver):
    """stdin and stdout are the server's pipes."""

    def run_input_thread(self) -> None:
        """As Textual's; at the end of stdin the app hears what it hears when a terminal goes."""
        super().run_input_thread()
        if not self.exit_event.is_set():
            os.kill(os.getpid(), signal.SIGHUP)
