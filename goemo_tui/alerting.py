"""How an alert reaches a person: a toast on whichever screen is open, and a bell or a desktop notification if asked for.

What is worth an alert is for services/alerts.py to say.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from goemo_tui.services.alerts import Alert, terminal_codes, tmux_passes
from goemo_tui.services.runs import RunView

if TYPE_CHECKING:
    from goemo_tui.app import GoemoApp

SECONDS = 10.0
"""How long a toast stays."""


def hear(app: GoemoApp, runs: Sequence[RunView]) -> None:
    """Tell what is new about the runs, and remember what has been seen of them."""
    if not app.runs.all_read:
        return  # the rest comes in a moment; what ended in the meantime is told at once for all
    for alert in app.alerts.news(runs):
        tell(app, alert)
    if app.alerts.greeted:
        app.keep("train", seen=app.alerts.seen())


def tell(app: GoemoApp, alert: Alert) -> None:
    """One alert. Nothing but the toast while no terminal is there to hear it."""
    app.notify(alert.text, title=alert.title, severity=alert.severity, timeout=SECONDS)
    driver, how = app._driver, app.settings.alerts
    if app.is_headless or driver is None or how == "toast":
        return
    tmux = bool(os.environ.get("TMUX"))

    def write() -> None:
        codes = terminal_codes(alert.text, how, tmux, tmux and how == "desktop" and tmux_passes())
        driver.write(codes)
        driver.flush()

    if tmux and how == "desktop":
        threading.Thread(target=write, name="alert", daemon=True).start()  # tmux is asked first
    else:
        write()
