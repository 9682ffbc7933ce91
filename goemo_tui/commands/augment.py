"""`goemo-tui data augment`: the comments that a run's setting `augment` would add to train, beside those they are made of.

stdout is data, stderr is talk. Whatever a comment says passes through safe_text before it reaches a terminal.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trainer.errors import ConfigError, NotFoundError

if TYPE_CHECKING:
    from trainer.config import TrainConfig
    from trainer.corpus import Corpus, Split
    from trainer.corpus.augment import Made, Translate

ACTIONS = ("augment",)


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options to those of `data`."""
    parser.add_argument(
        "--method",
        metavar="M",
        help="augment: synonyms, deletion, back_translation, joined by + (default: synonyms+deletion)",
    )
    parser.add_argument("--seed", metavar="N", type=int, help="augment: the same seed makes the same rows (default: 0)")
    parser.add_argument(
        "--translation", metavar="PAIR", help="augment: back_translation's models there and back, joined by +"
    )


def run(options: argparse.Namespace) -> int:
    """Make them, and show or write them. Raises GoemoError with the exit code of the command line."""
    from goemo_tui.services.export import target
    from trainer.corpus import load_corpus
    from trainer.corpus.augmented import asked_for, augmented, counted

    config = _asked(options)
    if options.limit is not None and options.limit < 1:
        raise ConfigError("--limit wants a number of rows, 1 or more", key="limit")
    if options.out:
        target(options.out)  # before a corpus is read for nothing
    corpus = load_corpus(options.path or getattr(options, "app_data", None) or "sample")
    train = corpus.splits.get("train")
    if train is None or not len(train):
        raise NotFoundError(f"{corpus.path} has no train rows, and only train is augmented")
    made = augmented(train.text, train.labels, config, lambda: _translation(config))
    asked = asked_for(config, len(train))
    if options.out:
        code = _write(corpus, train, made, options)
        _tell_short(made, train, asked)
        return code
    shown = made[: options.limit]
    if options.json:
        told = {"split": "train", "rows": len(train), "asked": asked, "made": len(made)}
        told |= {"methods": counted(made), "seed": config.seed}
        print(json.dumps({**told, "results": [_result(corpus, train, one) for one in shown]}))
        _tell_short(made, train, asked)
        return 0
    _show(corpus, train, shown)
    _talk(_summary(train, made) + ("" if len(shown) == len(made) else f"; the first {len(shown):,} shown"))
    _tell_short(made, train, asked)
    return 0


def _tell_short(made: list[Made], train: Split, asked: int) -> None:
    """Why there are fewer than were asked for, where there are."""
    from trainer.corpus.augmented import shortfall

    short = shortfall(made, len(train), asked)
    if short:
        _talk(f"note: {short}")


def _asked(options: argparse.Namespace) -> TrainConfig:
    from trainer.config import TrainConfig, augmentations

    asked: dict[str, Any] = {
        "augment": options.method or "synonyms+deletion",
        "augment_share": options.share,
        "seed": options.seed,
        "translation": options.translation,
    }
    config = TrainConfig().with_settings({key: value for key, value in asked.items() if value is not None})
    if not augmentations(config.augment):
        raise ConfigError("--method none makes nothing: choose synonyms, deletion or back_translation", key="augment")
    return config


def _translation(config: TrainConfig) -> Translate:
    from goemo_tui.commands.progress import fetching
    from trainer.corpus.pair import find_pair
    from trainer.learn.translate import translator

    with fetching() as progress:
        find_pair(config.translation, progress)
    return translator(config.translation, config.device, _talk)


def _names(corpus: Corpus, train: Split, made: Made) -> list[str]:
    return [corpus.labels.names[i] for i in train.labels[made.origin]]


def _result(corpus: Corpus, train: Split, made: Made) -> dict[str, Any]:
    return {
        "line": train.lines[made.origin],
        "id": train.ids[made.origin],
        "labels": _names(corpus, train, made),
        "method": made.method,
        "before": train.text[made.origin],
        "text": made.text,
    }


def _show(corpus: Corpus, train: Split, shown: list[Made]) -> None:
    """Line, labels and method, the comment before and after."""
    from goemo_tui.safe_text import clean

    digits = len(str(max((train.lines[one.origin] for one in shown), default=0)))
    for one in shown:
        print(f"{train.lines[one.origin]:>{digits}}  {clean(', '.join(_names(corpus, train, one)))} · {one.method}")
        print(f"{'':{digits}}  - {clean(train.text[one.origin])}")
        print(f"{'':{digits}}  + {clean(one.text)}")


def _write(corpus: Corpus, train: Split, made: list[Made], options: argparse.Namespace) -> int:
    """The new rows as a file that any command reads again; the id of each is that of its origin with a number."""
    from goemo_tui.safe_text import clean
    from goemo_tui.services.corpus import Rows, columns_of
    from goemo_tui.services.export import AlreadyThere, ExportError, export

    if not made:
        raise ExportError("nothing could be made of these rows: nothing was written")
    origins = [one.origin for one in made]
    new = replace(train.take("train", origins), text=[one.text for one in made])
    new = replace(new, ids=[f"{id or 'row'}-new{i}" for i, id in enumerate(new.ids, 1)], file=train.file)
    columns = columns_of(replace(corpus, splits={"train": new}), "train")
    rows: Rows = columns.lines.argsort(kind="stable")
    try:
        done = export(columns, rows, options.out, options.overwrite)
    except AlreadyThere as error:
        raise AlreadyThere(f"{error}: --overwrite writes over it") from None
    if done.note:
        _talk(f"note: {done.note}")
    if options.json:
        print(json.dumps({"path": str(done.path), "split": "train", "rows": done.rows, "bytes": done.size}))
    else:
        print(clean(str(done.path)))
        _talk(f"{_summary(train, made)}, {done.size:,} bytes")
    return 0


def _summary(train: Split, made: list[Made]) -> str:
    from trainer.corpus.augmented import counted

    by = ", ".join(f"{number:,} by {method}" for method, number in counted(made).items())
    return f"{len(made):,} new comment{'s' if len(made) != 1 else ''} of {len(train):,} train rows" + (
        f": {by}" if by else ""
    )


def _talk(text: str) -> None:
    """A line for people, beside the data."""
    from goemo_tui.safe_text import clean

    print(clean(text), file=sys.stderr)
