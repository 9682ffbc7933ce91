"""Fetches the full corpus with a progress bar. Can be cancelled; what has come is kept and gone on from."""

from __future__ import annotations

import threading

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widgets import ProgressBar, Static
from textual.worker import get_current_worker

from goemo_tui import safe_text
from goemo_tui.screens.dialog import Dialog
from trainer.corpus.interrupt import Cancelled
from trainer.errors import GoemoError


class Download(Dialog[str | None]):
    """Answers with `goemotions` once all files are there, or None."""

    HEADING = "Download GoEmotions"
    FOOT = "Esc cancels · Enter tries again"
    BINDINGS = [Binding("enter,r", "again", "Try again")]
    DEFAULT_CSS = """
    Download ProgressBar { width: 1fr; margin: 1 0; }
    Download ProgressBar Bar { width: 1fr; }
    Download #said { height: auto; }
    """

    def __init__(self, url: str | None = None) -> None:
        super().__init__()
        self.url = url
        self._stop = threading.Event()
        self._fetching = False
        self._last = ("", -1)

    def body(self) -> ComposeResult:
        """What happens, how far it is."""
        yield Static(Content("54,263 comments from the official repository, 4.4 MB, checked by sha256."))
        yield ProgressBar(total=100, show_eta=False)
        yield Static(Content("connecting …"), id="said")

    def on_mount(self) -> None:
        """Start at once: that is what the key was pressed for."""
        self.action_again()

    def action_again(self) -> None:
        """Start, or start again after an error."""
        if not self._fetching:
            self._fetching = True
            self._stop.clear()
            self._say("connecting …")
            self.run_worker(self._fetch, thread=True, group="download", exclusive=True)

    def _fetch(self) -> None:
        from trainer.corpus.download import download

        worker = get_current_worker()
        try:
            download(self.url, None, self._progress, lambda: self._stop.is_set() or worker.is_cancelled)
        except Cancelled:
            return
        except GoemoError as error:
            if not worker.is_cancelled:
                self.app.call_from_thread(self._failed, str(error))
            return
        if not worker.is_cancelled and not self._stop.is_set():
            self.app.call_from_thread(self.dismiss, "goemotions")

    def _progress(self, file: str, done: int, total: int) -> None:
        percent = 100 * done // max(1, total)
        if (file, percent) != self._last and not get_current_worker().is_cancelled:
            self._last = (file, percent)
            self.app.call_from_thread(self._show, file, done, total)

    def _show(self, file: str, done: int, total: int) -> None:
        if self.is_attached:
            self.query_one(ProgressBar).update(total=max(1, total), progress=done)
            self._say(f"{file}  {done / 1e6:.1f} of {total / 1e6:.1f} MB")

    def _failed(self, said: str) -> None:
        self._fetching = False
        if self.is_attached:
            self._say(f"✗ {said}\nEnter tries again; what has come is kept. Esc closes.")

    def _say(self, text: str) -> None:
        self.query_one("#said", Static).update(safe_text.content(text, newlines=True))

    def action_close(self) -> None:
        """Cancel; the next download goes on where this one stops."""
        self._stop.set()
        if self._fetching:
            self.app.notify("Stopped. d goes on where it stopped.", title="Download", timeout=4)
        self.dismiss(None)
