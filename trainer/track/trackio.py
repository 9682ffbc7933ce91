"""A run in trackio's local database, through the storage that trackio's own importers write with. No server is started."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trainer import paths
from trainer.track.facts import PROJECT, Facts
from trainer.track.points import Point
from trainer.track.tracker import default_folder


class Trackio:
    """One project's SQLite file in `folder` (default: TRACKIO_DIR, else ours), one run in it by the run's id."""

    def __init__(self, folder: Path | None) -> None:
        place = str(folder) if folder else os.environ.get("TRACKIO_DIR") or str(default_folder("trackio"))
        # trackio looks at its environment once, when it is imported
        os.environ["TRACKIO_DIR"] = self.where = place
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        self._facts: Facts | None = None
        self._last: Point | None = None

    def begin(self, facts: Facts, story: Sequence[Point]) -> None:
        """Take away what the database holds of this run."""
        storage = self._storage()
        storage.delete_run(PROJECT, facts.run)
        self._facts, self._last = facts, None

    def write(self, points: Sequence[Point]) -> None:
        """One row a point. A row that is there already is not written again: it is known by the event's number."""
        self._log(points)
        self._last = points[-1] if points else self._last

    def end(self, state: str, wall: float | None) -> None:
        """The state stands in the run's configuration. A run without a point is not known to trackio."""
        if self._last is not None:
            self._log([self._last], {"state": state})

    def _log(self, points: Sequence[Point], more: dict[str, Any] | None = None) -> None:
        facts = self._facts
        assert facts is not None
        called = {key: text for key, text in (("name", facts.name), ("note", facts.note)) if text}
        self._storage().bulk_log(
            project=PROJECT,
            run=facts.run,
            run_id=facts.run,
            metrics_list=[dict(point.values) for point in points],
            steps=[point.step for point in points],
            timestamps=[datetime.fromtimestamp(point.wall, UTC).isoformat() for point in points],
            log_ids=[f"{facts.run}:{point.seq}" for point in points],
            config={**facts.settings, **called, **(more or {})},
        )

    def _storage(self) -> Any:
        paths.private_folder(Path(self.where))
        from trackio.sqlite_storage import SQLiteStorage

        return SQLiteStorage
