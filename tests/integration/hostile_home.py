"""A home in which everything that somebody else may have written is hostile: comments, names, files, runs, settings.

Each piece of text begins with a word that can be looked for (`Zcomment`, `Zlabel` …): it has to be seen, and nothing of
what follows it may be obeyed.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from trainer.config import TrainConfig
from trainer.labels import LabelSet
from trainer.model.classifier import build, save
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run

CODES = {
    "clip": "\x1b]52;c;cHduZWQ=\x07\x1b[2J\x1b[6n\x1b[8m",
    "title": "\x1b]0;t\x07\x1b]8;;http://x\x1b\\",
    "strings": "\x1bPq#0\x1b\\\x1b_Gx\x1b\\\x1b^p\x1b\\\x1bc",
    "c1": "\x9b2J\x9d0;t\x9c\x90q\x9c\x85",
    "c0": "\x00\r\x08\x0b\x0c\x0e\x7f\x07",
    "bidi": "\u202e\u2066\u2069\u061c\u200f",
    "unseen": "\u200b\u2060\ufeff\u2028\u2029\U000e0041",
    "markup": "[/s][@click=app.quit][red]",
    "marks": "e" + "\u0301" * 60,
}

ALL = " ".join(CODES.values())

MARKS = "e" + "\u0301" * 100_000
LONG = "x" * 1_000_000
RAW = b"\x9b2J\x9d0;t\x07\xff\xfe\xed\xa0\x80\x1b[2J\x1b]52;c;cHduZWQ=\x07\r\x08"
"""Bytes that are no UTF-8: C1 codes of one byte, a lone surrogate."""

SURROGATE = "\ud800"


@dataclass(frozen=True)
class HostileHome:
    """Where the corpus and the model lie, and the runs."""

    corpus: Path
    model: Path
    runs: tuple[Run, ...]


def labels() -> list[str]:
    """One label a code. A label file is one name a line, UTF-8."""
    return [f"Zlabel-{name}{code}" for name, code in CODES.items()]


def make(home: Path, folder: Path, encoder: Path) -> HostileHome:
    """Fill `home`; corpus and model go into `folder`."""
    corpus = _corpus(folder)
    model = _model(folder, encoder)
    runs = (
        *(_run(corpus, name, model if i == 0 else None) for i, name in enumerate(("clip", "c1"))),
        _failed("bidi"),
        _broken(home),
    )
    state = home / "state"
    state.mkdir(parents=True)
    _history(state / "history.jsonl")
    recent = [str(corpus), *(f"/nowhere/Zrecent-{name}{code}" for name, code in list(CODES.items())[:5])]
    filters = [f"Zfilter-{name}{code}" for name, code in CODES.items()]
    places = {
        "data": {"history": filters, "filters": filters, "filter": "", "sort": ALL},
        "inspect": {"model": str(model), "recent": [f"owner/Zhub{CODES['clip']}", str(model)]},
        "train": {"seen": {"at": 1.0, "living": [ALL]}},
    }
    state.joinpath("state.json").write_text(
        json.dumps({"theme": ALL, "recent": recent, "place": "data", "places": places})
    )
    home.joinpath("settings.toml").write_text(
        tomli_w.dumps(
            {
                "theme": f"Ztheme{ALL}",
                "folder": f"/nowhere/Zfolder{CODES['clip']}",
                f"Zsetting{CODES['clip']}": ALL,
                "language": f"Zlanguage{CODES['title']}",
                "keys": {f"Zkey{CODES['clip']}": ALL},
            }
        )
    )
    return HostileHome(corpus, model, runs)


def _corpus(folder: Path) -> Path:
    corpus = folder / f"Zcorpus{CODES['title'].replace('/', '')}[red]"
    corpus.mkdir(parents=True)
    corpus.joinpath("emotions.txt").write_bytes("\n".join(labels()).encode())
    rows = [(f"Zcomment-{name} {code} end", str(i), f"Zid{i}{code}") for i, (name, code) in enumerate(CODES.items())]
    rows += [(f"Zmarks {MARKS[:9_000]}", "0", "m"), (f"Zlong {LONG[:9_900]}", "1", "l")]
    rows += [(f"Ztwin plain {i // 2}", str(i % 2), f"t{i}") for i in range(20)]
    rows += [(f"Zmarks {MARKS}", "0", "mm"), (f"Zlong {LONG}", "1", "ll")]  # more than is read
    lines = ["\t".join(row).encode() + b"\n" for row in rows]
    lines.append(b"Zraw " + RAW + b"\t0\traw\n")
    lines.append(f"Zbad{ALL}\tZnolabel{ALL}\tx\n".encode())
    for name in ("train", "dev"):
        corpus.joinpath(f"{name}.tsv").write_bytes(b"".join(lines))
    corpus.joinpath(os.fsdecode(b"Zfile" + RAW + b".tsv")).write_bytes(b"".join(lines))
    corpus.joinpath(f"dev{CODES['clip']}.tsv").write_bytes(b"Zother\t0\tx\n")
    return corpus


def _model(folder: Path, encoder: Path) -> Path:
    model = folder / f"Zmodel{CODES['clip']}[red]"
    found = LabelSet(tuple(labels()))
    # so small a threshold that each label is above it
    thresholds = {"split": ALL, "metric": ALL, "fitted_on": ALL, "thresholds": dict.fromkeys(found.names, 0.01)}
    save(build(encoder, found, 0, head_init="random"), encoder, model, 64, thresholds, f"# Zcard {ALL}")
    return model


def _run(corpus: Path, name: str, model: Path | None) -> Run:
    code = CODES[name]
    run = Run.create(
        TrainConfig(data=str(corpus), encoder=f"owner/Zencoder{code}", epochs=2),
        {"versions": {f"Zpackage{code}": ALL}, "corpus": {"train": ALL, "labels": labels()}},
    )
    _about(run, name)
    run.worker_log.write_bytes(f"Zworker {ALL}\n".encode() + b"Zraw " + RAW + b"\n" + (LONG + MARKS).encode() + b"\n")
    figures = {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 3, "threshold": 0.4}
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        log.append(
            "started", step=0, steps=20, epochs=2, rows={f"Zsplit{code}": 9}, device=f"Zdevice{code}", parameters=9
        )
        for step in range(1, 21):
            log.append("step", step=step, epoch=step / 10, loss=0.5 / step, lr=1e-4, grad_norm=0.7, examples_per_s=9.0)
        log.append("warning", step=9, text=f"Zwarning {ALL}{SURROGATE}")
        log.append("warning", step=9, text=f"Zlong {LONG}")
        log.append(
            "validation", step=20, epoch=2, loss=0.1, train_loss=0.1, macro_f1=0.5, micro_f1=0.5, weighted_f1=0.5,
            per_label=dict.fromkeys(labels(), figures), diagnosis=f"Zdiagnosis {ALL}", best=True,
        )  # fmt: skip
        log.append("checkpoint", step=20, path=f"Zcheckpoint{ALL}")
        log.append(
            "finished", step=20, epoch=2, seconds=3.0, best_epoch=2, macro_f1=0.5, reason=f"Zreason{ALL}", model=ALL
        )
    if model is not None:
        shutil.copytree(model, run.folder / "model")
    return run


def _failed(name: str) -> Run:
    run = Run.create(TrainConfig(epochs=2))
    _about(run, name)
    run.worker_log.write_bytes(b"Zworker " + RAW)
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        log.append("started", step=0, steps=20, epochs=2)
        log.append("failed", step=1, error=f"Zerror {ALL} {MARKS[:500]}", reason=f"Zreason{ALL}")
    return run


def _broken(home: Path) -> Run:
    """A run whose folder has a hostile name and whose settings are no settings."""
    folder = home / "runs" / f"20261128-1200-Zfolder{CODES['clip'].replace('/', '')}"
    folder.mkdir()
    folder.joinpath("config.toml").write_text(f'[settings]\nZkey = "{"x" * 10}"\nscheduler = "Zscheduler\\u001b[2J"\n')
    return Run(folder)


def _about(run: Run, name: str) -> None:
    about = {"name": f"Zname{CODES[name][:30]}", "note": f"Znote {ALL}{SURROGATE}"[:500]}
    run.folder.joinpath("about.json").write_text(json.dumps(about))


def _history(file: Path) -> None:
    emotions = [{"emotion": label, "probability": 0.9, "threshold": 0.3} for label in labels()[:3]]
    lines = []
    for name, code in CODES.items():
        entry: dict[str, Any] = {
            "text": f"Zasked-{name} {code}{SURROGATE}",
            "model": f"Zmodel{code}",
            "threshold": "tuned",
        }
        lines.append(json.dumps({**entry, "emotions": emotions, "when": time.time()}))
    file.write_text("\n".join(lines) + "\n" + "not JSON \x1b[2J\n")
