"""`goemo-tui doctor`: what this machine offers, and what is missing with the command that brings it."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goemo_tui.safe_text import clean, json_line


@dataclass(frozen=True)
class Finding:
    """One line of the report. `good` is None for what is neither good nor bad."""

    topic: str
    good: bool | None
    what: str


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "doctor",
        help="what this machine offers",
        description="What this machine offers, and what is missing with the command that brings it.",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Look and report; 1 if something that every use needs is missing."""
    findings = [*_program(), *_devices(), *_models(), *_corpora(), *_machine(), _terminal()]
    if options.json:
        print(json_line([vars(f) for f in findings]))
    else:
        for f in findings:
            mark = {True: "ok", False: "!!", None: "--"}[f.good]
            print(f"{mark}  {f.topic:<10}{clean(f.what)}")
    return int(any(f.good is False for f in findings))


def _program() -> list[Finding]:
    from trainer import __version__

    found = [
        Finding("program", None, f"goemo-tui {__version__}, Python {platform.python_version()}, {platform.platform()}")
    ]
    try:
        import torch
        from transformers import __version__ as transformers_version
    except ImportError as error:
        return [
            *found,
            Finding("torch", False, f"cannot be imported ({error}): install goemo-tui again with its dependencies"),
        ]
    from trainer.learn.device import choose_device, choose_precision

    device = choose_device("auto")
    precision = choose_precision("auto", device)
    text = f"torch {torch.__version__}, transformers {transformers_version}; trains on {device} in {precision}"
    return [*found, Finding("torch", True, f"{text}, {torch.get_num_threads()} threads"), _prediction()]


def _prediction() -> Finding:
    try:
        from onnxruntime import __version__
    except ImportError as error:
        return Finding("predict", None, f"ONNX Runtime cannot be imported ({error}): torch predicts, in twice the time")
    return Finding(
        "predict", True, f"ONNX Runtime {__version__} for BERT and DistilBERT on the processor, torch for all else"
    )


def _devices() -> list[Finding]:
    from trainer.devices import list_devices

    return [Finding("device", None if d.name == "cpu" else not d.busy or None, str(d)) for d in list_devices()]


def _models() -> list[Finding]:
    from trainer.encoders import BUNDLED, anatomy, find_encoder
    from trainer.errors import GoemoError
    from trainer.modelfolder import STARTER, find_model

    found = []
    try:
        encoder = find_encoder(BUNDLED)
        found.append(Finding("encoder", True, f"{BUNDLED}: {anatomy(encoder.folder)} ({encoder.source})"))
    except GoemoError as error:
        found.append(Finding("encoder", False, str(error)))
    try:
        found.append(Finding("starter", True, str(find_model(STARTER).path)))
    except GoemoError as error:
        found.append(Finding("starter", None, str(error)))
    try:
        model = find_model()
        found.append(Finding("model", True, f"{model.name} is used where no other is named"))
    except GoemoError as error:
        found.append(Finding("model", None, str(error)))
    return found


def _corpora() -> list[Finding]:
    from trainer.corpus import list_corpora
    from trainer.errors import GoemoError

    try:
        corpora = list_corpora()
    except GoemoError as error:
        return [Finding("corpus", False, str(error))]
    found = [
        Finding("corpus", True, f"{c.name}: " + ", ".join(f"{split} {rows:,}" for split, rows in c.splits.items()))
        for c in corpora
    ]
    if not any(c.name == "goemotions" for c in corpora):
        found.append(Finding("corpus", None, "GoEmotions is not here yet: goemo-tui data download"))
    return found


def _machine() -> list[Finding]:
    from trainer import paths, surroundings

    runs = paths.runs_folder()
    out = surroundings.logout()
    found = [_disk(runs), Finding("logout", True if out.ends is False else None, out.text)]
    others = {"network": surroundings.network_warning(runs), "slurm": surroundings.slurm_warning()}
    return [*found, *(Finding(topic, None, text) for topic, text in others.items() if text)]


def _disk(runs: Path) -> Finding:
    """What is free where runs are kept, and what a run of the bundled encoder takes."""
    from trainer import surroundings
    from trainer.encoders import BUNDLED, anatomy, find_encoder
    from trainer.errors import GoemoError

    there = runs
    while not os.access(there, os.F_OK):  # also where one may not even look
        there = there.parent
    if not os.access(there, os.W_OK):
        return Finding("disk", False, f"{runs} cannot be written: set GOEMO_HOME")
    try:
        parameters = anatomy(find_encoder(BUNDLED).folder).parameters
    except GoemoError:  # said under its own topic
        parameters = 0
    warning = surroundings.disk_warning(runs, parameters)
    if warning:
        return Finding("disk", False, warning)
    free = surroundings.free_bytes(runs)
    text = f"{runs}: {'?' if free is None else surroundings.size(free)} free"
    if parameters:
        text += f"; a run of {BUNDLED} takes up to {surroundings.size(surroundings.needed_bytes(parameters))}"
    return Finding("disk", True, text)


def _terminal() -> Finding:
    if not sys.stdout.isatty():
        return Finding("terminal", None, "stdout is no terminal, so the app would not open here")
    size = shutil.get_terminal_size()
    kind = f"{os.environ.get('TERM', 'TERM is not set')}{', ' + os.environ['COLORTERM'] if 'COLORTERM' in os.environ else ''}"
    fits = size.columns >= 80 and size.lines >= 24
    text = f"{kind}, {size.columns}x{size.lines}" + ("" if fits else ": the app wants 80x24")
    return Finding("terminal", fits or None, text)
