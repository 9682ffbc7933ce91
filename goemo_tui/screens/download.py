"""Fetches the full corpus: bytes, rate and time left. It can be stopped; what has come is kept and gone on from.

The downloading thread only tells numbers; the screen looks at them a few times a second.
"""

from __future__ import annotations

import threading
import time
from functools import partial

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widgets import Static

from goemo_tui import safe_text, wording
from goemo_tui.screens.dialog import Dialog
from goemo_tui.services.beside import Done, beside
from goemo_tui.services.transfer import Transfer, at_hand
from goemo_tui.widgets.bar_list import bar
from trainer.corpus.interrupt import Cancelled
from trainer.errors import DownloadError

LOOKS = 0.25
"""Seconds between two looks at the numbers."""

SILENCE = 3.0
"""Seconds without a byte after which that is said."""


class Download(Dialog[str | None]):
    """Answers with `goemotions` once all files are there, or None."""

    HEADING = "Download GoEmotions"
    FOOT = "Space stops and goes on · Esc cancels"
    BINDINGS = [
        Binding("space", "stop_or_go_on", "Stop or go on"),
        Binding("enter,r", "again", "Go on"),
    ]
    DEFAULT_CSS = """
    Download #bar { height: 1; margin-top: 1; color: $bar; }
    Download #said { height: auto; margin-top: 1; }
    Download #files { height: auto; color: $quiet; margin-top: 1; }
    """

    def __init__(self, url: str | None = None) -> None:
        super().__init__()
        self.url = url
        self.transfer: Transfer | None = None
        self._stop = threading.Event()
        self._fetching = False
        self._ended = ""

    def body(self) -> ComposeResult:
        """What happens, how far it is."""
        yield Static(Content("54,263 comments from the authors' repository, 4.4 MB; each file is checked by sha256."))
        yield Static(Content(""), id="bar")
        yield Static(Content("connecting …"), id="said")
        yield Static(Content(""), id="files")

    def on_mount(self) -> None:
        """Start at once: that is what the key was pressed for."""
        self.set_interval(LOOKS, self._look)
        self.action_again()

    # The thread

    def action_again(self) -> None:
        """Start, or go on after a stop or an error."""
        if self._fetching:
            return
        from trainer.corpus.download import FILES
        from trainer.paths import corpora_folder

        sizes = {name: pinned.size for name, pinned in FILES.items()}
        self.transfer = Transfer(sizes, at_hand(sizes, corpora_folder() / "goemotions"), time.monotonic())
        self._fetching, self._ended, self._stop = True, "", threading.Event()
        beside("download", partial(self._fetch, self.transfer, self._stop), self.post_message)
        self._look()

    def _fetch(self, transfer: Transfer, stop: threading.Event) -> bool:
        """Whether all came; False where it was stopped. Raises GoemoError."""
        from trainer.corpus.download import download

        try:
            download(
                self.url,
                None,
                lambda file, done, total: transfer.told(file, done, time.monotonic()),
                lambda: stop.is_set() or not self.is_running,
            )
        except Cancelled:
            return False
        return True

    def on_done(self, message: Done) -> None:
        """It came to its end: all there, stopped, or failed."""
        if message.name != "download":
            return
        self._fetching = False
        if message.value and self.is_current:
            self.dismiss("goemotions")
            return
        if message.error is not None:
            what = message.error.what if isinstance(message.error, DownloadError) else message.error
            then = "Enter tries again and goes on where it stopped; Esc closes."
            self._ended = f"✗ The download stopped.\n{what}\n\n{then}"
            if self.url is None:
                self._ended += " From a mirror: goemo-tui data download --url ADDRESS"
        else:
            self._ended = f"■ stopped at {self._amount()}; what has come is kept. Space goes on, Esc closes."
        self._look()

    # What is shown

    def _amount(self) -> str:
        transfer = self.transfer
        if transfer is None:
            return "0 B"
        return f"{transfer.so_far / 1e6:.1f} of {transfer.total / 1e6:.1f} MB"

    def _look(self) -> None:
        transfer = self.transfer
        if transfer is None or not self.is_attached:
            return
        share = transfer.so_far / max(1, transfer.total)
        width = max(10, self.query_one("#bar").size.width - 6)
        self._say("#bar", f"{bar(share, width)} {wording.percent(share):>4}")
        self._say("#said", self._ended or self._said(transfer, time.monotonic()))
        signs = {name: self._sign(transfer, name, size) for name, size in transfer.sizes.items()}
        self._say("#files", "   ".join(f"{sign} {name}" for name, sign in signs.items()))

    def _sign(self, transfer: Transfer, name: str, size: int) -> str:
        done = transfer.done.get(name, 0)
        return "✓" if done >= size and name != transfer.file else "●" if name == transfer.file else "○"

    def _said(self, transfer: Transfer, now: float) -> str:
        if self._stop.is_set():
            return "stopping …"
        silent = transfer.silent(now)
        resumed = f" · gone on from {transfer.before / 1e6:.1f} MB" if transfer.before else ""
        if not transfer.file:
            said = f"connecting …{resumed}"
            return f"{said} · no answer for {wording.duration(silent)}" if silent > SILENCE else said
        if silent > SILENCE and transfer.so_far < transfer.total:
            return f"{self._amount()} · no byte for {wording.duration(silent)}: it waits, and tries again by itself"
        rate, left = transfer.rate(now), transfer.seconds_left(now)
        speed = f" · {wording.size(round(rate))}/s" if rate else ""
        eta = f" · {wording.duration(left)} left" if left is not None and transfer.so_far < transfer.total else ""
        return f"{transfer.file} · {self._amount()}{speed}{eta}{resumed}"

    def _say(self, selector: str, text: str) -> None:
        place = self.query_one(selector, Static)
        content = safe_text.content(text, newlines=True)
        if str(place.content) != content.plain:
            place.update(content)

    # Keys

    def action_stop_or_go_on(self) -> None:
        """Stop the transfer, or go on with it."""
        if self._fetching:
            self._stop.set()
            self._look()
        else:
            self.action_again()

    def action_close(self) -> None:
        """Cancel; the next download goes on where this one stops."""
        self._stop.set()
        if self._fetching:
            said = f"Stopped at {self._amount()}; it is kept, and the next download goes on there."
            self.app.notify(said, title="Download", timeout=4)
        self.dismiss(None)
