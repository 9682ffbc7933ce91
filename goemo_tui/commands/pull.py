"""`goemo-tui pull REPO`: a model of the Hugging Face Hub onto this disk, usable as MODEL without a network afterwards."""

from __future__ import annotations

import argparse
from typing import Any


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "pull",
        help="fetch a model of the Hugging Face Hub, to be used as MODEL without a network",
        description="Fetch a model of the Hugging Face Hub: weights as safetensors, tokenizer, configuration, thresholds and "
        "card, each file checked by its hash. Nothing that could run is fetched or opened.",
    )
    parser.add_argument("repo", metavar="REPO", help="OWNER/NAME")
    parser.add_argument(
        "--revision", metavar="R", help="a branch, a tag or a commit (default: the main branch as it is)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """0 fetched. Raises GoemoError."""
    from goemo_tui import wording
    from goemo_tui.commands.progress import fetching, say
    from goemo_tui.safe_text import clean, json_line
    from trainer.hub.pull import pull

    repo, _, inside = options.repo.partition("@")  # as a MODEL is written
    with fetching() as progress:
        got = pull(repo, options.revision or inside or None, progress)
    for warning in got.warnings:
        say(f"warning: {clean(warning)}")
    if options.json:
        told = {
            "model": got.name,
            "commit": got.commit,
            "folder": str(got.folder),
            "files": list(got.files),
            "bytes": got.bytes,
        }
        print(json_line(told))
    else:
        print(clean(got.name))
        say(
            f"{wording.size(got.bytes)} in {clean(str(got.folder))}\n  use it: goemo-tui predict --model {clean(got.name)} TEXT"
        )
    return 0
