"""Files of rows through a classifier on Ray Data: one model an actor, a part a task. What counts is on disk: a part is whole, or is
made anew whole, whoever was killed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from trainer.errors import ConfigError, CorpusError, GoemoError
from trainer.infer.part_job import TRIES, Job, Worker, plan_of, planned
from trainer.infer.ray_cluster import Cluster, joined
from trainer.infer.score import Progress, Scored, summed
from trainer.tables.folder import StoreError
from trainer.tables.part_folder import Part, PartFolder, Planned
from trainer.tables.places import fingerprint, name_of
from trainer.tables.source import Source


@dataclass(frozen=True)
class Failed:
    """Rows that were not done: `first` (from 1) and how many, 0 for a whole file; and why."""

    file: str
    first: int
    rows: int
    what: str


@dataclass(frozen=True)
class Outcome:
    """What became of it; `parts` are whole now, `earlier` of them were before."""

    scored: Scored
    parts: int
    earlier: int
    failed: tuple[Failed, ...]


@dataclass
class Scoring:
    """A job, done on a `cluster`. `first` is the file that the others have to be like, as a closed source."""

    job: Job
    first: Source
    labels: tuple[str, ...]
    thresholds: list[float]
    cluster: Cluster
    tell: Callable[[Progress], None] = lambda progress: None
    say: Callable[[str], None] = lambda what: None
    _began: float = field(default_factory=time.monotonic)

    def run(self, again: bool = False, overwrite: bool = False) -> Outcome:
        """Do what is not done yet. `again` begins anew, `overwrite` only where all is done. Raises GoemoError."""
        about = self.job.about(self.labels, self.thresholds)
        folder = PartFolder(self.job.out, plan_of(about))
        folder.manifest()  # before anything is written into a folder of other things
        try:
            folder.begin()
            files = self._files(folder, about, again, overwrite)
            return self._done(folder, about, files)
        finally:
            folder.close()

    def _files(self, folder: PartFolder, about: dict[str, Any], again: bool, overwrite: bool) -> list[Planned]:
        """The plan: the one that was made, or a new one."""
        old = folder.manifest()
        files = None
        if old is not None and not again and not (overwrite and old["whole"]):
            files = self._gone_on_with(old, about)
        if files is None:
            folder.clear()
            self.say("counting the rows")
            files = [self._planned(number) for number in range(len(self.job.files))]
        if not any(file.parts for file in files):
            wrong = [file.wrong for file in files if file.wrong]
            if len(wrong) == len(files):
                raise CorpusError("; ".join(wrong[:3]))
            number = next(n for n, file in enumerate(files) if not file.wrong)
            files[number] = replace(files[number], parts=(Part(number, 0, 0, 0),))  # the columns, and nothing in them
        return files

    def _planned(self, number: int) -> Planned:
        return planned(*self.job.files[number], self.first, self.job, number)

    def _gone_on_with(self, old: dict[str, Any], about: dict[str, Any]) -> list[Planned]:
        """The old plan. A file that something was wrong with is planned again if it has changed since."""
        before = [Planned.of(number, file) for number, file in enumerate(old["files"])]
        then = old["about"]
        unlike = sorted(key for key in {*then, *about} if then.get(key) != about.get(key))
        if [file.name for file in before] != [name_of(file) for file, _ in self.job.files]:
            unlike.insert(0, "input")
        found = []
        for number, file in enumerate(before if not unlike else ()):
            changed = self._print(number) != file.print
            if changed and not file.wrong:
                unlike.append(f"input ({file.name} has changed)")
            found.append(self._planned(number) if changed or not file.parts else replace(file, wrong=""))
        if unlike:
            how = "--overwrite or --again" if old["whole"] else "--again"
            raise ConfigError(
                f"{self.job.out} was begun with another {', '.join(unlike)}. Give the same as then to go on, or {how} to "
                "begin anew",
                key="out",
            )
        return found

    def _print(self, number: int) -> list[Any]:
        try:
            return list(json.loads(json.dumps(fingerprint(self.job.files[number][0]))))
        except GoemoError:
            return []

    def _done(self, folder: PartFolder, about: dict[str, Any], files: list[Planned]) -> Outcome:
        parts = [part for file in files for part in file.parts]
        before = folder.done(parts)
        folder.clear(before)
        folder.keep(about, files, whole=False)
        known = {part.name for part in before}
        todo = [part for part in parts if part.name not in known]
        wrong = self._told(todo, folder.plan, sum(part.rows for part in parts), before) if todo else {}
        after = folder.done(parts)
        known = {part.name for part in after}
        missing = {
            part: wrong.get(part.name, f"its worker died {TRIES + 1} times") for part in parts if part.name not in known
        }
        troubled = {self.job.files[part.file][0]: what for part, what in missing.items()}
        files = [
            replace(file, wrong=file.wrong or troubled.get(at, ""))
            for file, (at, _) in zip(files, self.job.files, strict=True)
        ]
        folder.keep(about, files, whole=not any(file.wrong for file in files))
        failed = [Failed(file.name, 0, 0, file.wrong) for file in files if file.wrong and not file.parts]
        failed += [Failed(files[p.file].name, p.first + 1, p.rows, what) for p, what in missing.items()]
        seconds = time.monotonic() - self._began
        rows = sum(part.rows for part in before)
        scored = summed(lambda: folder.told(after), rows, seconds, self.labels)
        return Outcome(scored, len(after), len(before), tuple(failed))

    def _told(self, todo: Sequence[Part], plan: str, rows: int, before: Sequence[Part]) -> dict[str, str]:
        """Do the parts; what was wrong with those that cannot be done, by name."""
        earlier = done = sum(part.rows for part in before)
        wrong: dict[str, str] = {}
        errors = 0
        sizes = {part.name: part.rows for part in todo}
        with joined(self.cluster) as ray:
            began = time.monotonic()
            for name, told in _handed_out(ray, self.job, plan, todo, self.cluster):
                if "stop" in told:
                    raise CorpusError(f"{told['stop']}. What was done is kept: the same command goes on")
                if "wrong" in told:
                    wrong[name] = told["wrong"]
                    continue
                done, errors = done + sizes.pop(name, 0), errors + told["errors"]
                pace = (done - earlier) / max(1e-6, time.monotonic() - began)
                self.tell(Progress(done, errors, done / max(1, rows), pace, (rows - done) / max(1e-6, pace)))
        return wrong


def _handed_out(
    ray: Any, job: Job, plan: str, todo: Sequence[Part], cluster: Cluster
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each part's name and what became of it, as they end. Ray begins a part again whose worker died; the next worker says
    when it was too often."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = context.print_on_execution_start = False
    context.max_errored_blocks = -1  # what cannot be done is missing then, and the others are done
    workers, gpus = _workers(ray, job, cluster, len(todo))
    scored = ray.data.from_items([asdict(part) for part in todo], override_num_blocks=len(todo)).map_batches(
        Scorer,
        fn_constructor_args=(job, plan),
        batch_size=1,
        batch_format="numpy",
        compute=ray.data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=1),
        num_cpus=1,
        num_gpus=gpus or None,
    )
    for batch in scored.iter_batches(batch_size=None, batch_format="numpy", prefetch_batches=0):
        for name, told in zip(batch["name"], batch["told"], strict=True):
            yield str(name), json.loads(str(told))


def _workers(ray: Any, job: Job, cluster: Cluster, parts: int) -> tuple[int, float]:
    """How many actors, and the GPUs of each. Raises ConfigError where the cluster has not so much."""
    has = ray.cluster_resources()
    cores, cards = int(has.get("CPU", 1)), has.get("GPU", 0.0)
    gpus = cluster.gpus_per_worker
    if gpus is None:
        gpus = 1.0 if cards and job.device != "cpu" and job.precision != "int8" else 0.0
    room = min(cores, int(cards / gpus)) if gpus else cores
    wanted = room if cluster.workers is None else cluster.workers
    if wanted > room or room < 1:
        raise ConfigError(
            f"{max(1, wanted)} workers with a core and {gpus:g} GPUs each are more than this Ray has: {cores} cores, "
            f"{cards:g} GPUs",
            key="workers",
        )
    return min(wanted, parts), gpus


class Scorer:
    """What an actor of Ray Data does with a batch: one part, told as JSON. Nothing is raised, for Ray would end all of it."""

    def __init__(self, job: Job, plan: str) -> None:
        self._worker: Worker | None = None
        self._trouble = ""
        try:
            self._worker = Worker(job, plan)
        except GoemoError as error:
            self._trouble = str(error)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """`batch` has one part by its fields."""
        part = Part(*(int(batch[name][0]) for name in ("file", "number", "first", "rows")))
        return {"name": [part.name], "told": [json.dumps(self._told(part))]}

    def _told(self, part: Part) -> dict[str, Any]:
        if self._worker is None:
            return {"stop": self._trouble}
        try:
            mark = self._worker.do(part)
        except StoreError as error:
            return {"stop": str(error)}
        except GoemoError as error:
            return {"wrong": str(error)}
        except Exception as error:
            return {"wrong": f"{type(error).__name__}: {error}"}
        return {"errors": sum(one["errors"] for one in mark["portions"])}
