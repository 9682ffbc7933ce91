"""`goemo-tui push MODEL REPO`: a model to the Hugging Face Hub, private unless asked, after saying what is sent."""

from __future__ import annotations

import argparse
from typing import Any

from trainer.errors import ConfigError


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "push",
        help="send a model to the Hugging Face Hub (private unless --public)",
        description="Send a model to the Hugging Face Hub: weights, configuration, tokenizer, thresholds and card, nothing else. "
        "The repository is private unless --public. Who you are the Hub knows by HF_TOKEN or `hf auth login`.",
    )
    parser.add_argument("model", metavar="MODEL", help="a run, a folder or starter")
    parser.add_argument("repo", metavar="REPO", help="OWNER/NAME, or NAME for one of your own")
    parser.add_argument("--public", action="store_true", help="everybody may see it")
    parser.add_argument("--license", metavar="ID", help="for the card, such as apache-2.0 (left out: none is named)")
    parser.add_argument("--dry-run", action="store_true", help="say what would be sent and send nothing")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """0 sent. Raises GoemoError."""
    from goemo_tui import wording
    from goemo_tui.commands.progress import say
    from goemo_tui.safe_text import clean, json_line
    from trainer.hub import push
    from trainer.modelfolder import find_model

    push.require_name(options.repo)
    if options.license is not None and not options.license.strip():
        raise ConfigError("--license needs a name, such as apache-2.0")
    model = find_model(options.model)
    with push.packed(model, options.repo, options.license) as parcel:
        kind = "public" if options.public else "private"
        total = wording.size(sum(size for _, size in parcel.files))
        say(f"{clean(model.name)} goes to {options.repo} on the Hub ({kind}), {total}:")
        for name, size in parcel.files:
            say(f"  {name:<26}{wording.size(size)}")
        files = [{"name": name, "bytes": size} for name, size in parcel.files]
        if options.dry_run:
            say("nothing was sent")
            if options.json:
                print(json_line({"repo": options.repo, "sent": False, "private": not options.public, "files": files}))
            return 0
        sent = push.push(parcel, options.repo, options.public)
    if options.json:
        document = {"repo": sent.repo, "sent": True, "private": sent.private, "files": files}
        print(json_line({**document, "url": sent.url, "commit": sent.commit}))
    else:
        print(clean(sent.url))
    if options.public and sent.private:
        say(f"{sent.repo} was there already and is private; its settings on the Hub make it public")
    return 0
