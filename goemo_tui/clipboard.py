"""Text into the clipboard of the terminal that the person sits at, also over SSH: OSC 52."""

from __future__ import annotations

from textual.app import App


def send(app: App[int], text: str) -> str:
    """Send `text` and return what became of it, in words that follow a colon. Nothing answers: it is sent, not confirmed."""
    app.copy_to_clipboard(text)
    return "sent to the terminal's clipboard"
