"""A window of a tmux server of its own: what real terminals and multiplexers do to the app, looked at as text."""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from tests.integration.lasting import PATIENCE, until


class Tmux:
    """Runs `command` and ends with the context. Looked at and typed into like a Terminal."""

    NAMES = {"enter": "Enter", "tab": "Tab", "down": "Down", "escape": "Escape", "ctrl+s": "C-s"}

    def __init__(self, command: Sequence[str], columns: int = 120, rows: int = 36, folder: Path | None = None) -> None:
        self.socket = f"goemo-{uuid.uuid4().hex[:12]}"
        place = () if folder is None else ("-c", str(folder))
        size = ("-x", str(columns), "-y", str(rows))
        self("-f", os.devnull, "new-session", "-d", *size, *place, *command)
        self.server, self.pid = (int(n) for n in self("display-message", "-p", "#{pid} #{pane_pid}").split())
        self.file = Path(self("display-message", "-p", "#{socket_path}").rstrip("\n"))

    def __call__(self, *words: str) -> str:
        """What tmux prints for a command of its own."""
        done = subprocess.run(
            ["tmux", "-u", "-L", self.socket, *words], capture_output=True, timeout=PATIENCE, check=True
        )
        return done.stdout.decode("utf-8", "replace")

    def __enter__(self) -> Tmux:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        subprocess.run(["tmux", "-L", self.socket, "kill-server"], capture_output=True, timeout=PATIENCE, check=False)
        self.file.unlink(missing_ok=True)

    @property
    def text(self) -> str:
        """The screen as lines."""
        return self("capture-pane", "-p")

    @property
    def painted(self) -> str:
        """The screen with its colours as escape codes."""
        return self("capture-pane", "-p", "-e")

    def press(self, *keys: str) -> None:
        """Type: names of NAMES, or text as it is."""
        for key in keys:
            self("send-keys", *([self.NAMES[key]] if key in self.NAMES else ["-l", "--", key]))

    def look(self, seconds: float) -> None:
        """Give the app a moment to draw; tmux itself takes it in."""
        time.sleep(seconds)

    def until(self, seen: str | Callable[[str], bool]) -> str:
        """Look until a text is on the screen (or a test of it holds), and return the screen."""
        holds = seen if callable(seen) else lambda text: seen in text
        found = [""]

        def look() -> bool:
            found[0] = self.text
            return holds(found[0])

        until(look, lambda: f"never seen: {seen}\n{found[0]}")
        return found[0]
