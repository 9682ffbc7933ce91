"""A run in MLflow: in a folder on this disk unless MLFLOW_TRACKING_URI names a store or server."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from trainer import paths
from trainer.shared import without_password
from trainer.track.facts import PROJECT, Facts
from trainer.track.points import Point
from trainer.track.tracker import default_folder

TAG = "goemo.run"
"""The tag by which a run is found again; its value is the run's id."""

AT_A_TIME = 900
"""Metrics in one request; MLflow takes 1,000."""

STATUS = {"finished": "FINISHED", "failed": "FAILED", "died": "FAILED", "stopped": "KILLED"}


class MLflow:
    """One MLflow run by its tag. What it knows already is not sent again; where it knows more than the log does, because
    the training went back to a checkpoint, it is marked as deleted and made anew."""

    def __init__(self, folder: Path | None) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("DO_NOT_TRACK", "true")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
        named = None if folder else os.environ.get("MLFLOW_TRACKING_URI")
        self._folder = None if named else (folder or default_folder("mlflow")).absolute()
        if self._folder is not None:
            # mlflow-skinny brings no database; its folder store is maintained no further, and has to be asked for
            os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
        self._uri = named or self._folder.as_uri() if self._folder else str(named)
        self.where = without_password(named) if named else str(self._folder)
        self._client: Any = None
        self._run = ""
        self._begun = False
        self._known: dict[str, set[int]] = {}
        self._facts: Facts | None = None

    def begin(self, facts: Facts, story: Sequence[Point]) -> None:
        """Find the run, or make it; its settings and note are as they are now."""
        from mlflow.entities import Param

        self._facts = facts
        client, experiment = self._open()
        found = client.search_runs([experiment], f"tags.`{TAG}` = '{_quoted(facts.run)}'")
        if found:
            self._run = found[0].info.run_id
            self._known = {key: self._steps(key) for key in found[0].data.metrics}
            if self._begun or self._holds_more_than(story):
                client.delete_run(self._run)
                found = []
        self._begun = True
        if found:
            client.update_run(self._run, status="RUNNING", name=facts.name)
        else:
            made = client.create_run(experiment, int(facts.began * 1000), {TAG: facts.run}, facts.name)
            self._run, self._known = made.info.run_id, {}
        client.set_tag(self._run, "mlflow.note.content", facts.note)
        had = found[0].data.params if found else {}
        params = [Param(_key(k), str(v)[:6000]) for k, v in facts.settings.items() if _key(k) not in had]
        for some in _batches(params, 90):
            client.log_batch(self._run, params=some)

    def write(self, points: Sequence[Point]) -> None:
        """Every value that is not there yet, with its step and time."""
        from mlflow.entities import Metric

        new = [
            Metric(_key(name), value, int(point.wall * 1000), point.step)
            for point in points
            for name, value in point.values.items()
            if point.step not in self._known.get(_key(name), ())
        ]
        for some in _batches(new, AT_A_TIME):
            self._client.log_batch(self._run, metrics=some)
        for metric in new:
            self._known.setdefault(metric.key, set()).add(metric.step)

    def _holds_more_than(self, points: Iterable[Point]) -> bool:
        """Whether it was told of a step that is on no curve any more."""
        there: dict[str, set[int]] = {}
        for point in points:
            for name in point.values:
                there.setdefault(_key(name), set()).add(point.step)
        return any(steps - there.get(key, set()) for key, steps in self._known.items())

    def end(self, state: str, wall: float | None) -> None:
        """MLflow's status: FINISHED, FAILED, KILLED for a run that was stopped; RUNNING for one that goes on."""
        self._client.set_tag(self._run, "goemo.state", state)
        if state in STATUS:
            self._client.set_terminated(self._run, STATUS[state], int(wall * 1000) if wall else None)

    def _open(self) -> tuple[Any, str]:
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient

        if self._folder is not None:
            paths.private_folder(self._folder)
        self._client = MlflowClient(tracking_uri=self._uri)
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or PROJECT
        found = self._client.get_experiment_by_name(name)
        if found is None:
            with suppress(MlflowException):  # another mirror may have made it since
                self._client.create_experiment(name)
            found = self._client.get_experiment_by_name(name)
        return self._client, found.experiment_id

    def _steps(self, key: str) -> set[int]:
        return {metric.step for metric in self._client.get_metric_history(self._run, key)}


def _key(name: str) -> str:
    """A name as MLflow takes it."""
    return re.sub(r"[^\w./: -]", "_", name)


def _quoted(text: str) -> str:
    return text.replace("'", "")


def _batches(items: Sequence[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
