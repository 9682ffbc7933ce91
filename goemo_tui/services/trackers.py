"""Where a run that is about to start is to be mirrored to: what was asked for, else what is set."""

from __future__ import annotations

from goemo_tui.settings import read_settings
from trainer.errors import GoemoError


def asked(text: str | None) -> tuple[tuple[str, ...], list[str]]:
    """The trackers of `train --track`, else those of the settings; and what is wrong with the latter, as warnings.

    Raises ConfigError or GoemoError for what was asked for by the option; a setting never keeps a training from starting.
    """
    from trainer.track import tracker

    if text is not None:
        names = tracker.chosen("" if text.strip() == "none" else text)
        tracker.require(names)
        return names, []
    try:
        names = tracker.chosen(read_settings()[0].track)
        absent = tracker.missing(names)
    except GoemoError as error:
        return (), [str(error)]
    return (names, []) if absent is None else ((), [f"the run is not mirrored: {absent}"])
