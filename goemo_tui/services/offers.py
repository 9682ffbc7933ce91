"""What the form for a training offers to choose from, and what it can tell about a choice: corpora, encoders, devices, runs.

Everything here may read the disk or ask a driver: call it from a thread, but for `start_choices`. No widget is known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from goemo_tui.services.new_run import AS_SET, NOW, NOWHERE, WHEN_FREE
from goemo_tui.wording import score
from trainer.config import SETTINGS
from trainer.encoders import Anatomy, anatomy, find_encoder
from trainer.errors import GoemoError, NotFoundError
from trainer.paths import expanded, nobody

if TYPE_CHECKING:
    from goemo_tui.services.runs import RunView

NONE = "none"
"""The choice of no run to take settings from."""


def like_choices(runs: Iterable[RunView], chosen: str = NONE) -> list[tuple[str, str, str]]:
    """(id, what is shown, what it was) of the runs whose settings can be taken over, newest first, after NONE.

    `chosen` stays among them when it is deleted meanwhile.
    """
    found = [(NONE, "none", "the recipe's own settings; or take those of a run that is there")]
    for run in runs:
        if run.config is None:
            about = f"its settings cannot be read: {run.trouble}"
        else:
            encoder = run.config.encoder.rstrip("/").rpartition("/")[2]
            best = f"F1 {score(run.best_f1)}" if run.best_f1 is not None else run.state
            about = f"{encoder} · {run.config.recipe} · {run.config.epochs} epochs · {best}"
        found.append((run.id, run.title, about))
    if chosen not in {value for value, _, _ in found}:
        found.append((chosen, chosen, "it was deleted meanwhile; its settings stay in the form"))
    return found


def start_choices(runs: Iterable[RunView], devices: Iterable[str], chosen: str = NOW) -> list[tuple[str, str, str]]:
    """(value, what is shown, what it means) of when a training can start, given the runs and the devices there are.

    `chosen` stays among them when its run ends meanwhile.
    """
    found = [(NOW, "now", "at once, whatever else is running")]
    if chosen == WHEN_FREE or any(device.startswith("cuda") for device in devices):
        found.append((WHEN_FREE, "when a GPU is free", "waits until nobody uses one, and trains on that one"))
    for run in runs:
        if run.living:
            found.append((run.id, f"after {run.short}", f"waits until {run.short} has ended, however it ends"))
        elif run.id == chosen:
            found.append((run.id, f"after {run.short}", f"{run.short} has ended by now: starts at once"))
    return found


def track_choices() -> list[tuple[str, str, str]]:
    """(value, what is shown, what it means) of where a training can be mirrored to while it trains."""
    from goemo_tui.settings import read_settings
    from trainer.track import tracker

    usual = read_settings()[0].track
    nowhere = "TensorBoard, trackio, W&B or MLflow can show the run, too, while it trains"
    if usual:
        found = [(AS_SET, f"as set: {usual}", "as Settings say"), (NOWHERE, "nowhere", nowhere)]
    else:
        found = [(AS_SET, "nowhere", nowhere)]
    for name in tracker.NAMES:
        found.append((name, name, tracker.missing([name]) or f"the run is mirrored to {name} while it trains"))
    return found


@dataclass(frozen=True)
class EncoderNote:
    """What is known of an encoder by its name. `anatomy` is None where it is not on this machine; `text` says why."""

    name: str
    anatomy: Anatomy | None
    text: str


def look_up(name: str) -> EncoderNote:
    """What an encoder is made of, without downloading anything. Blocks for a moment: call it from a thread."""
    try:
        found = find_encoder(name, allow_download=False)
        shape = anatomy(found.folder)
    except NotFoundError:
        if name.startswith(("/", ".", "~")) or Path(name).is_dir():
            return EncoderNote(name, None, "no such folder")
        return EncoderNote(
            name, None, "not on this machine: it is fetched from the Hub at the start, and lr then goes by its width"
        )
    except GoemoError as error:
        return EncoderNote(name, None, str(error))
    return EncoderNote(name, shape, f"{shape} · {found.source}")


def explanation(key: str) -> str:
    """Range or choices and the help of a setting: `1 to 1000 · how often the model sees each comment`."""
    setting = SETTINGS[key]
    if setting.choices or setting.low is None or setting.high is None:
        return setting.help
    return f"{_bound(setting.low)} to {_bound(setting.high)} · {setting.help}"


def _bound(value: float) -> str:
    return (
        f"{value:g}"
        if abs(value) < 1e5 or value != round(value)
        else f"{value:.0e}".replace("e+0", "e").replace("e+", "e")
    )


def corpus_choices(data: str = "sample", recent: Iterable[str] = ()) -> list[tuple[str, str, str]]:
    """(value, what is shown, how many rows) of `data`, the `recent` paths that are still there, and the named corpora.

    Reads the named ones: call it from a thread.
    """
    from trainer.corpus import list_corpora

    named = {c.name: (c.name, c.name, rows_of(c.splits)) for c in list_corpora() if c.splits}
    others = dict.fromkeys(p for p in (data, *recent) if p not in named and (p == data or _is_there(p)))
    own = [(path, short_path(path), "") for path in others]
    return [*own, *named.values()]


def rows_of(splits: Mapping[str, int], limit: int = 0) -> str:
    """`1,120 train · 280 dev`; `200 of 1,120 train` where the setting `limit` takes only so many."""

    def taken(split: str, rows: int) -> str:
        return f"{limit:,} of {rows:,} {split}" if split == "train" and 0 < limit < rows else f"{rows:,} {split}"

    return " · ".join(taken(split, rows) for split, rows in splits.items())


def data_setting(data: str) -> str:
    """What the Data screen opened, as a setting: a name stays a name, a path becomes whole, whether it is there or not."""
    if data in ("sample", "goemotions"):
        return data
    if nobody(data):
        return data
    path = expanded(data)
    return str(path.absolute()) if "/" in data or _is_there(str(path)) else data


def short_path(path: str, room: int = 22) -> str:
    """The end of a path, which tells it from others; the whole one where there is room."""
    if len(path) <= room or "/" not in path.rstrip("/"):
        return path
    parts = Path(path).parts
    two = "…/" + "/".join(parts[-2:])
    return two if len(two) <= room else "…/" + parts[-1]


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


@dataclass(frozen=True)
class CorpusNote:
    """What is known of a corpus by its name or path: the `rows` of its splits, or in `wrong` why no training can start."""

    name: str
    rows: Mapping[str, int]
    wrong: str

    @property
    def text(self) -> str:
        """`1,120 train · 280 dev`; empty where none can be used."""
        return rows_of(self.rows)


def look_at_corpus(name: str) -> CorpusNote:
    """Read a corpus as the start will. Blocks: call it from a thread."""
    from trainer.corpus import load_corpus

    try:
        corpus = load_corpus(name, fetch=False)  # what is being typed is not asked for on a network
        corpus.require_trainable()
    except GoemoError as error:
        return CorpusNote(name, {}, str(error).replace("\n", " "))
    return CorpusNote(name, {split: len(rows) for split, rows in corpus.splits.items()}, "")


def device_choices() -> list[tuple[str, str, str]]:
    """(name, what is shown, what it is) of what this machine computes on; what others use says so. For a thread."""
    from trainer.devices import list_devices

    devices = list_devices()
    best = str(devices[0]) if devices else ""
    shown = [(device.name, f"{device.name} (busy)" if device.busy else device.name, str(device)) for device in devices]
    return [("auto", "auto", f"the best that is there: {best}"), *shown]
