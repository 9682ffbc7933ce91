"""Makes `data/starter`: a recipe on the real corpus, its teachers first, packed as what it adds to the bundled encoder.

`make starter` calls it. Nothing but dev is looked at; which seed is taken is decided before it is trained.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

import trainer
from benchmarks.quality.recipes import RECIPES
from benchmarks.quality.run import made
from trainer import paths
from trainer.config import recipe
from trainer.corpus import load_corpus
from trainer.corpus.row_hashes import RowHashes
from trainer.encoders import BUNDLED, read_json
from trainer.learn.validation import judged
from trainer.model import compact
from trainer.model.card import card
from trainer.model.metrics import multi_hot
from trainer.runs.dev_scores import read_dev_scores
from trainer.runs.run import Run

RECIPE, SEED = "distilled", 2
"""A seed that none of its teachers has."""
NOTE = """
## How it travels

`compact.safetensors` holds what this model adds to the encoder {encoder}: a low-rank difference for each linear layer, and the
head. They are added when it is loaded. `goemo-tui models export starter FOLDER` writes the whole model in the Hugging Face layout.
"""


def main() -> int:
    """Train, unless a run is named, and pack."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.starter", description=__doc__)
    parser.add_argument("--data", default="goemotions", help="corpus with a train and a dev split")
    parser.add_argument("--run", help="pack this finished run instead of training one")
    options = parser.parse_args()
    os.environ.setdefault("GOEMO_HOME", str(Path(".quality").resolve()))
    if options.run:
        run = Run.open(options.run)
    else:
        run = made(RECIPES[RECIPE], SEED, options.data)
    rank = run.config.lora_rank
    if not rank or run.config.encoder != BUNDLED or run.model is None:
        print(f"{run.id}: a starter is made of a finished run with adapters over {BUNDLED}", file=sys.stderr)
        return 1
    into = paths.shipped() / "starter"
    pack(run.model, rank, into)
    refit(run, options.data, into)
    size = sum(p.stat().st_size for p in into.iterdir())
    print(f"{into}: {size:,} bytes, of {run.id} ({recipe().recipe}, seed {run.config.seed})")
    return 0


def pack(model: Path, rank: int, into: Path) -> None:
    """Write the compact form of the model in `model` into the folder `into`, made anew."""
    fresh = into.with_name(f".{into.name}-new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    lost = compact.pack(model, BUNDLED, rank, fresh)
    for name in ("config.json", "thresholds.json"):
        (fresh / name).write_text(json.dumps(read_json(model / name), indent=2, ensure_ascii=False) + "\n", "utf-8")
    limit = {"model_max_length": read_json(model / "tokenizer_config.json")["model_max_length"]}
    (fresh / "tokenizer_config.json").write_text(json.dumps(limit) + "\n", "utf-8")
    print(f"largest share of a difference that rank {rank} does not hold: {max(lost.values(), default=0.0):.2g}")
    shutil.rmtree(into, ignore_errors=True)
    fresh.rename(into)


def refit(run: Run, data: str, into: Path) -> None:
    """Fit the thresholds anew as the default recipe does, on what the run said of dev: it may have had another way."""
    config = run.config.with_settings({"threshold_fit": recipe().threshold_fit})
    corpus, said, best = load_corpus(data), read_dev_scores(run.folder), run.snapshot().best
    assert said is not None and said.sha256 == corpus.fingerprint["dev"], f"{run.id} was scored on another dev split"
    assert best is not None and best["epoch"] == said.epoch
    truth = multi_hot(corpus.splits["dev"].labels, len(said.labels))
    found = judged(truth, said.probabilities, corpus.labels, 0.0, config.threshold_fit)
    about = read_json(into / "thresholds.json")
    about["fitted_on"] |= {"macro_f1": found.macro_f1, "way": config.threshold_fit}
    about["fitted_on"] |= RowHashes.of(corpus.splits["dev"].text).told()
    about["thresholds"] = found.thresholds
    (into / "thresholds.json").write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", "utf-8")
    text = card(config, "bundled package", corpus.fingerprint, {**best, **found.fields}, trainer.__version__)
    (into / "README.md").write_text(text + NOTE.format(encoder=f"`{BUNDLED}`"), "utf-8")
    print(
        f"dev, cross-fitted, {config.threshold_fit}: macro-F1 {found.macro_f1:.4f}, micro-F1 {found.fields['micro_f1']:.4f}"
    )


if __name__ == "__main__":
    sys.exit(main())
