"""`goemo-tui data`: which corpora are at hand, what is wrong with one, its rows by filter, and the real one fetched.

The headless twin of the Data screen. Whatever a file says passes through safe_text before it reaches a terminal.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from goemo_tui.commands import augment, rows, stats, suspects
from trainer.errors import ConfigError
from trainer.paths import expanded, nobody

if TYPE_CHECKING:
    from trainer.corpus import Corpus

ACTIONS = ("list", "check", *stats.ACTIONS, *rows.ACTIONS, *augment.ACTIONS, *suspects.ACTIONS, "download")

FILTER_HELP = """\
A filter is what the Data screen's filter line takes: words, "a phrase", /regex/, label:joy, labels:>1, tokens:>20,
line:10..20, id:ed8x. A blank joins what must both hold, `or` binds weaker, a minus or `not` turns what follows round,
parentheses group; quotes make or, and, not and ( ordinary text: '"or"'."""


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "data",
        help="list, check, show, export, count, augment or download corpora, find suspect labels",
        description="Which corpora are at hand, what is wrong with one, its figures, its rows by filter, the rows that "
        "augmentation would add, rows with suspect labels, and GoEmotions fetched.",
        epilog=FILTER_HELP,
    )
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="list", help="what to do (default: list)")
    parser.add_argument(
        "path",
        nargs="?",
        help="sample, goemotions, a folder or a file; download: the folder to download into",
    )
    parser.add_argument("text", nargs="?", help="similar: the text whose nearest comments are wanted")
    parser.add_argument(
        "--filter", metavar="TEXT", help="show, export: which rows, as in the Data screen's filter line"
    )
    parser.add_argument(
        "--split",
        metavar="NAME",
        help="stats, similar, show, export: train, dev or test (default: the first there is; stats: all)",
    )
    parser.add_argument(
        "--top", metavar="N", type=int, default=10, help="similar, suspects: how many comments (default: 10)"
    )
    parser.add_argument("--limit", metavar="N", type=int, help="show, augment: at most so many rows")
    parser.add_argument(
        "--out",
        metavar="FILE",
        help="export, augment: a .tsv, .csv, .jsonl or .parquet file; suspects: the train rows without them",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="export, augment, suspects: also over a file that is there"
    )
    parser.add_argument(
        "--share",
        metavar="S",
        type=float,
        help="augment: new rows as a share of the train rows (default: 0.5); suspects: the most doubtful share that "
        "--out leaves out (default: 0.05)",
    )
    augment.add(parser)
    suspects.add_options(parser)
    parser.add_argument("--url", metavar="MIRROR", help="download: address of the folder that holds the four files")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.set_defaults(run=run)


_BELONGS = {
    "filter": ("show", "export"),
    "split": ("stats", "similar", "show", "export"),
    "text": ("similar",),
    "limit": ("show", "augment"),
    "out": ("export", "augment", "suspects"),
    "overwrite": ("export", "augment", "suspects"),
    "method": augment.ACTIONS,
    "share": ("augment", "suspects"),
    "seed": augment.ACTIONS,
    "translation": augment.ACTIONS,
    **dict.fromkeys(suspects.OPTIONS, suspects.ACTIONS),
    "url": ("download",),
}


def run(options: argparse.Namespace) -> int:
    """Do it; 1 if a file is refused. Raises GoemoError with the exit code of the command line."""
    for option, actions in _BELONGS.items():
        if getattr(options, option) not in (None, False, []) and options.action not in actions:
            name = "a text" if option == "text" else f"--{'set' if option == 'settings' else option}"
            raise ConfigError(f"{name} belongs to data {', data '.join(actions)}", key=option)
    if options.action == "list":
        if options.path:
            raise ConfigError(
                f"data list takes no path; goemo-tui data check {options.path} looks into one", key="path"
            )
        return _list(options.json)
    if options.action == "download":
        return _download(options.url, options.path, options.json)
    if options.action == "check":
        return _check(options.path or getattr(options, "app_data", None) or "sample", options.json)
    if options.action in augment.ACTIONS:
        return augment.run(options)
    if options.action in suspects.ACTIONS:
        return suspects.run(options)
    return stats.run(options) if options.action in stats.ACTIONS else rows.run(options)


def _list(as_json: bool) -> int:
    from goemo_tui.safe_text import clean
    from trainer.corpus import list_corpora
    from trainer.corpus.corpus import SPLITS

    corpora = list_corpora()
    if as_json:
        found = [{"name": c.name, "path": str(c.path), "splits": c.splits, "origin": c.origin} for c in corpora]
        print(json.dumps({"corpora": found}))
        return 0
    for corpus in corpora:
        rows = "  ".join(f"{name} {rows:,}" for name, rows in corpus.splits.items()) or "cannot be read"
        print(clean(f"{corpus.name:<12} {rows:<40} {corpus.path}"))
        if corpus.name == "goemotions" and len(corpus.splits) < len(SPLITS):
            print(f"{'':<12} not whole: goemo-tui data download fetches what is missing")
    if not any(corpus.name == "goemotions" for corpus in corpora):
        print("goemotions   not here yet: goemo-tui data download fetches it (4 MB)")
    return 0


def _check(path: str, as_json: bool) -> int:
    from goemo_tui.commands.progress import fetching
    from goemo_tui.safe_text import clean
    from trainer.corpus import load_corpus
    from trainer.errors import CorpusError, NotFoundError
    from trainer.hub_client import HubError

    try:
        with fetching() as progress:
            corpus = load_corpus(path, progress)
    except (NotFoundError, HubError) as error:
        if as_json:  # the document is whole also where there is nothing; the exit code says what it means
            print(
                json.dumps({"splits": {}, "problems": [{"file": path, "line": 0, "what": str(error)}], "warnings": []})
            )
        raise
    except CorpusError as error:
        # The document is whole also where no file could be told from another.
        document: dict[str, Any] = {
            "splits": {},
            "problems": [{"file": path, "line": 0, "what": str(error)}],
            "warnings": [],
        }
        refused = True
    else:
        document = _document(corpus)
        refused = any(split.refused for split in corpus.splits.values())
    if as_json:
        print(json.dumps(document))
        return int(refused)
    for name, split in document["splits"].items():
        print(f"{name:<6}{split['rows']:>10,} rows")
    for problem in document["problems"]:
        place = f"{problem['file']}:{problem['line']}" if problem["line"] else problem["file"]
        print(clean(f"{place}: {problem['what']}"))
    for warning in document["warnings"]:
        # the reasons that follow a refusal's first line stand above
        text = warning.partition("\n")[0].rstrip(":") if document["problems"] else warning
        print(f"warning: {clean(text, newlines=True)}")
    if not document["problems"] and not refused:
        print("no problems")
    return int(refused)


def _document(corpus: Corpus) -> dict[str, Any]:
    """What `check --json` prints."""
    from trainer.config import TrainConfig
    from trainer.corpus import language_warning

    # Read as the worker will read it unless told otherwise: with the default encoder, which knows English.
    some = next((split.text for split in corpus.splits.values() if split.text), [])
    language = language_warning(some, TrainConfig().encoder)
    refusals = [split.refused for split in corpus.splits.values() if split.refused]
    return {
        "splits": {name: {"rows": len(split)} for name, split in corpus.splits.items()},
        "problems": [{"file": p.file, "line": p.line, "what": p.what} for p in corpus.problems],
        "warnings": [*refusals, *corpus.warnings, *([language] if language else [])],
    }


def _download(url: str | None, into: str | None, as_json: bool) -> int:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

    from goemo_tui.safe_text import clean
    from trainer.corpus.download import FILES, download

    if into and (name := nobody(into)):
        raise ConfigError(f"{into}: nobody here is called {name}, write the path out")
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def show(file: str, done: int, total: int) -> None:
            if file not in tasks:
                tasks[file] = bars.add_task(file, total=total)
            bars.update(tasks[file], completed=done)

        folder = download(url, expanded(into) if into else None, progress=show)
    if as_json:
        print(json.dumps({"path": str(folder), "files": {name: {"bytes": file.size} for name, file in FILES.items()}}))
    else:
        print(clean(str(folder)))
    return 0
