"""`goemo-tui data suspects`: which rows' labels a model most disbelieves; the list without them, and what a person decides.

Trains in this process, fold by fold; ctrl-c keeps what is done. stdout is data, stderr is talk.
"""

from __future__ import annotations

import argparse
import json
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from trainer.errors import ConfigError, NotFoundError

if TYPE_CHECKING:
    from goemo_tui.services.suspects import Judged
    from trainer.corpus import Corpus
    from trainer.corpus.suspects import OutOfFold

ACTIONS = ("suspects",)
FOLDS = 4
OPTIONS = ("folds", "recipe", "encoder", "settings", "mark", "again")
"""Those of `data` that are about suspects alone, as argparse calls them."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    parser.add_argument("--folds", metavar="K", type=int, help=f"suspects: models to train, 2 to 20 (default: {FOLDS})")
    parser.add_argument("--recipe", metavar="NAME", help="suspects: how the models are trained (default: goemo)")
    parser.add_argument("--encoder", metavar="NAME", help="suspects: minilm, distilbert, a local folder or a Hub name")
    parser.add_argument(
        "--set", metavar="KEY=VALUE", dest="settings", action="append", default=[],
        help="suspects: a setting of these trainings, such as epochs=2; may be given often",
    )  # fmt: skip
    parser.add_argument(
        "--mark", metavar="LINE=WHAT", action="append", default=[],
        help="suspects: keep what you found: fine, wrong, model (the model's labels are right), or none",
    )  # fmt: skip
    parser.add_argument("--again", action="store_true", help="suspects: train anew, whatever is kept")


def run(options: argparse.Namespace) -> int:
    """0, or 130 and 143 where it was interrupted. Raises GoemoError with the exit code of the command line."""
    from goemo_tui.commands.progress import say
    from goemo_tui.services.suspects import judged, parse_mark
    from trainer.config import SETTINGS, TrainConfig
    from trainer.corpus import load_corpus
    from trainer.corpus.interrupt import Cancelled
    from trainer.corpus.suspects import command

    share = TrainConfig().suspect_share if options.share is None else options.share
    limits = SETTINGS["suspect_share"]
    if not (limits.low or 0) <= share <= (limits.high or 1):
        raise ConfigError(f"--share {share:g}: between {limits.low:g} and {limits.high:g}", key="share")
    if options.top < 0:
        raise ConfigError(f"--top {options.top}: 0 or more", key="top")
    marks = [parse_mark(text) for text in options.mark]
    data = options.path or getattr(options, "app_data", None) or "sample"
    if options.out:
        from goemo_tui.services.export import target

        target(options.out)  # before a model is trained for nothing
    taxonomy = _taxonomy(options.settings)
    corpus = load_corpus(data)
    corpus.require_trainable()
    corpus = corpus.under(taxonomy)
    asked: list[int] = []
    try:
        scores = _scores(options, data, corpus, taxonomy, asked)
    except Cancelled as stopped:
        say(f"{stopped}. What is done is kept; this goes on with it: {command(data, taxonomy)}")
        return 128 + (asked[0] if asked else signal.SIGINT)
    _rank(scores, corpus)
    found = judged(corpus, taxonomy)
    if found is None:
        raise NotFoundError(f"the suspects in {scores.folder} cannot be read: --again makes them anew")
    _mark(found, corpus, marks)
    if options.json:
        print(json.dumps(_document(found, corpus, options.top)))
    else:
        _print(found, corpus, options.top)
    if options.out:
        _write(found, corpus, options.out, options.overwrite, share)
    return 0


def _taxonomy(settings: list[str]) -> str:
    from trainer.config import TrainConfig, parse_settings

    return str(parse_settings(settings).get("taxonomy", TrainConfig().taxonomy))


def _scores(options: argparse.Namespace, data: str, corpus: Corpus, taxonomy: str, asked: list[int]) -> OutOfFold:
    """The scores that are kept, or made now. Raises ConfigError where kept ones are of other settings than asked for."""
    from goemo_tui.commands.progress import fetching, say
    from trainer.config import parse_settings
    from trainer.corpus.suspects import begun, folder_of, read_scores
    from trainer.infer import out_of_fold
    from trainer.runs.plan import plan

    folder = folder_of(corpus, taxonomy)
    chosen = bool(options.settings or options.recipe or options.encoder or options.folds)
    if options.again:
        out_of_fold.forget(folder)
    kept = read_scores(corpus, taxonomy)
    if kept is not None and not chosen:
        return kept
    before = None if chosen else begun(folder)
    settings: dict[str, Any] = {k: v for k, v in dict((before or {}).get("settings") or {}).items() if k != "data"}
    settings = parse_settings(options.settings if before is None else settings)
    out_of_fold.require_unbiased(settings)
    with fetching() as progress:
        ready = plan(data, options.encoder, options.recipe or "goemo", settings, progress)
    work = out_of_fold.planned(ready, options.folds or int((before or {}).get("folds") or FOLDS))
    if kept is not None:
        if work.same_as(kept.about):
            return kept
        raise ConfigError(f"{folder} holds scores made with other settings: --again makes them anew", key="again")
    for warning in ready.warnings:
        say(f"warning: {warning}")
    say(
        f"{work.rows:,} rows in {work.folds} folds: {work.folds} trainings of {ready.config.encoder}, one after the "
        f"other. Ctrl-c stops after the step at hand; the same command goes on."
    )
    with _stoppable(asked), _Progress(work.folds) as shown:
        return out_of_fold.make(work, lambda: bool(asked), shown.event)


def _rank(scores: OutOfFold, corpus: Corpus) -> None:
    from goemo_tui.commands.progress import say
    from trainer.corpus.suspects import given_labels, read_ranking
    from trainer.model.label_quality import ranked

    if read_ranking(scores) is None:
        say("ranking the rows")
    ranked(scores, given_labels(corpus))


def _mark(found: Judged, corpus: Corpus, marks: list[tuple[int, Any]]) -> None:
    lines = {line: row for row, line in enumerate(corpus.splits["train"].lines)}
    for line, verdict in marks:
        if line not in lines:
            raise NotFoundError(f"--mark {line}: train has no row on that line")
        found.decide(lines[line], verdict)


def _document(found: Judged, corpus: Corpus, top: int) -> dict[str, Any]:
    """What `--json` prints."""
    names, split, told = corpus.labels.names, corpus.splits["train"], found.suspects.ranking.told
    about = found.suspects.scores.about

    def named(ids: tuple[int, ...]) -> list[str]:
        return [names[i] for i in ids]

    counts = ("given_by_label", "doubted_by_label", "missed_by_label")
    per_label = {
        name: {key.removesuffix("_by_label"): int(told[key][k]) for key in counts} for k, name in enumerate(names)
    }
    results = [
        {
            "rank": doubt.rank,
            "line": split.lines[doubt.row],
            "id": split.ids[doubt.row],
            "text": split.text[doubt.row],
            "labels": named(doubt.given),
            "doubted": named(doubt.doubted),
            "missing": named(doubt.missing),
            "suggested": named(doubt.suggested),
            "quality": round(doubt.quality, 6),
            "margin": round(doubt.margin, 4),
            "probabilities": {
                names[i]: round(float(doubt.probability[i]), 4) for i in sorted({*doubt.given, *doubt.suggested})
            },
            "decision": found.decisions[doubt.row].verdict if doubt.row in found.decisions else None,
        }
        for doubt in found.doubts(top)
    ]
    return {
        "corpus": corpus.name,
        "path": str(corpus.path),
        "folder": str(found.suspects.scores.folder),
        "folds": about.get("folds"),
        "macro_f1": about.get("macro_f1"),
        "method": told["method"],
        "rows": told["rows"],
        "suspect_rows": {key: told[key] for key in ("any", "doubted", "missed", "both", "any_by_default")},
        "per_label": per_label,
        "decisions": len(found.decisions),
        "results": results,
    }


def _print(found: Judged, corpus: Corpus, top: int) -> None:
    from goemo_tui.safe_text import cells, clean
    from goemo_tui.services.suspects import WORDS, summary
    from goemo_tui.wording import percent

    names, split = corpus.labels.names, corpus.splits["train"]

    def named(ids: tuple[int, ...], probability: Any) -> str:
        return " ".join(f"{names[i]} {percent(float(probability[i]))}" for i in ids)

    for sentence in summary(found.suspects.ranking.told, found.suspects.scores.about):
        print(clean(sentence))
    for doubt in found.doubts(top):
        decided = found.decisions.get(doubt.row)
        mark = f"  [{WORDS[decided.verdict]}]" if decided else ""
        said = f"{named(doubt.given, doubt.probability)} → {named(doubt.suggested, doubt.probability)}{mark}"
        print(clean(f"{doubt.rank:>5}  line {split.lines[doubt.row]:<7} {said}"))
        print(f"       {cells(split.text[doubt.row], 110)}")


def _write(found: Judged, corpus: Corpus, out: str, overwrite: bool, share: float) -> None:
    from goemo_tui.commands.progress import say
    from goemo_tui.services.corpus import columns_of
    from goemo_tui.services.export import AlreadyThere, export
    from goemo_tui.services.suspects import cleaned_columns

    columns, rows = cleaned_columns(columns_of(corpus, "train"), found, share)
    try:
        done = export(columns, rows, out, overwrite)
    except AlreadyThere as error:
        raise AlreadyThere(f"{error}: --overwrite writes over it") from None
    if done.note:
        say(f"note: {done.note}")
    corrected = sum(decision.verdict == "model" for decision in found.decisions.values())
    say(
        f"{done.path}: {done.rows:,} of {len(columns):,} rows, {len(columns) - done.rows:,} left out, "
        f"{corrected:,} with the model's labels"
    )


@contextmanager
def _stoppable(asked: list[int]) -> Iterator[None]:
    """Inside, ctrl-c and SIGTERM are the wish to stop after the step at hand; a second one ends it at once."""

    def ask(number: int, frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Progress:
    """Folds and their trainings on stderr: a bar on a terminal, plain lines elsewhere."""

    def __init__(self, folds: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self.folds = folds
        self.console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[said]}", markup=False),
        )
        self.bars = Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal)
        self.bar = self.bars.add_task("loading", total=None, said="")
        self.steps, self.tenth = 0, -1

    def __enter__(self) -> _Progress:
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def event(self, fold: int, event: Mapping[str, Any]) -> None:
        """One event of a fold's training."""
        from goemo_tui import wording
        from goemo_tui.commands.progress import validation_line

        kind, name = event["kind"], f"fold {fold + 1}/{self.folds}"
        if kind in ("started", "resumed"):
            self.steps, self.tenth = int(event["steps"]), -1
            going = f"goes on from step {event['step']:,}" if kind == "resumed" else "begins"
            self._say(
                f"{name} {going}: {event['rows']['train']:,} rows learned, {self.steps:,} steps on {event['device']}"
            )
            self.bars.update(self.bar, description=name, total=self.steps, completed=event.get("step", 0), said="")
        elif kind == "step":
            said = f"{event['step']:,}/{self.steps:,}  loss {wording.score(event['loss'])}  {wording.duration(event['eta_s'])} left"
            self.bars.update(self.bar, completed=event["step"], said=said)
            tenth = 10 * event["step"] // max(1, self.steps)
            if not self.console.is_terminal and tenth > self.tenth:
                self._say(f"{name} {said}")
            self.tenth = tenth
        elif kind == "validation":
            self._say(f"{name} {validation_line(dict(event))}")
        elif kind == "warning":
            self._say(f"{name} warning: {event['text']}")
        elif kind == "predicted":
            self._say(f"{name} done: {event['rows']:,} rows predicted that it had not seen")

    def _say(self, text: str) -> None:
        from goemo_tui.safe_text import clean

        self.console.print(clean(text), markup=False, highlight=False, soft_wrap=True)
