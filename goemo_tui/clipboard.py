"""Text into the clipboard of the terminal that the person sits at, also over SSH, inside tmux and GNU screen.

Only base64 ever goes to the terminal, never the text itself. Nothing answers: what is sent is not confirmed.
"""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Mapping

from textual.app import App

MOST_BASE64 = 74_994
"""Characters of base64 that terminals take in one OSC 52; longer ones they drop without a word."""

MOST = MOST_BASE64 // 4 * 3
"""Bytes of text that fit into them."""

TMUX_SECONDS = 1.0
"""How long to wait for tmux, which answers in milliseconds."""

SCREEN_CHUNK = 76
"""Characters of base64 in one of GNU screen's device control strings, which may not be long."""


def send(app: App[int], text: str, environment: Mapping[str, str] | None = None) -> str:
    """Send `text` and return what became of it, in words that follow a colon."""
    environment = os.environ if environment is None else environment
    data = text.encode("utf-8", "replace")
    app._clipboard = text  # what ctrl+v pastes inside the app
    if len(data) > MOST:
        return f"not sent: {len(data):,} bytes are more than a terminal's clipboard takes ({MOST:,})"
    if environment.get("TMUX") and to_tmux(data):
        return "sent to the clipboard through tmux"
    if app._driver is not None:
        app._driver.write(osc52(data, in_screen=bool(environment.get("STY"))))
    if environment.get("TMUX"):
        return "sent to tmux, which did not answer: it takes it only with set -g set-clipboard on"
    return "sent to the terminal's clipboard"


def to_tmux(data: bytes) -> bool:
    """Give `data` to tmux's own buffer, and with it to the terminal around tmux. False where tmux did not take it.

    By default (`set-clipboard external`) tmux ignores OSC 52 of the programs inside it, but sends its own.
    """
    for words in (["load-buffer", "-w", "-"], ["load-buffer", "-"]):  # -w: since tmux 3.2
        try:
            done = subprocess.run(["tmux", *words], input=data, capture_output=True, timeout=TMUX_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return False
        if done.returncode == 0:
            return True
    return False


def osc52(data: bytes, in_screen: bool = False) -> str:
    """The control sequence that sets the clipboard; wrapped piece by piece for GNU screen, which hands it on unread."""
    encoded = base64.b64encode(data).decode()
    if not in_screen:
        return f"\x1b]52;c;{encoded}\a"
    chunks = [encoded[i : i + SCREEN_CHUNK] for i in range(0, len(encoded), SCREEN_CHUNK)]
    whole = ["\x1b]52;c;", *chunks, "\a"]
    return "".join(f"\x1bP{part}\x1b\\" for part in whole)
