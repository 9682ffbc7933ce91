"""What each output of a model means: by config.json, by a file, or by the order in which notebooks list the 28 emotions.

Says how sure that is; a corpus can tell, for its frequent emotions have high probabilities in the right place alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainer import paths
from trainer.errors import CorpusError, ModelError
from trainer.labels import ALPHABETICAL, EMOTIONS, LabelSet, read_label_file
from trainer.model import foreign
from trainer.modelfolder import read_label_names
from trainer.scoring.average_precision import average_precision

Array = np.ndarray[Any, np.dtype[Any]]

ORDERS = {"emotions": EMOTIONS, "alphabetical": ALPHABETICAL}
"""Values of `labels` beside a file: the two orders in which the 28 are listed."""

CLEARLY = 0.02
"""By how much of mean average precision another order must fit dev better to be spoken of."""


@dataclass(frozen=True)
class Named:
    """What each output means: `names[k]` is output k as it was saved. `origin`: official, config, file, emotions or alphabetical."""

    names: tuple[str, ...]
    origin: str
    warnings: tuple[str, ...] = ()


def name_outputs(found: foreign.Foreign, outputs: int, labels: str | None) -> Named:
    """Names for the outputs. Raises ModelError where there are more or fewer of them."""
    if labels is not None and labels in ORDERS:
        named = Named(ORDERS[labels], labels)
    elif labels is not None:
        file = read_label_file(paths.expanded(labels))
        # as the file lists them: read for a corpus, the 28 come in the official order
        listed = tuple(file.labels.names[k] for k in file.ids_to)
        named = Named(listed, "file", tuple(w for w in file.warnings if "alphabetically" not in w))
    elif found.config.get("id2label"):
        names, warnings = read_label_names(found.folder)
        guessed = names == EMOTIONS and bool(warnings)
        said = tuple(text for text in warnings if "LABEL_0" not in text)
        named = Named(_lowered(names), "official" if guessed else "config", said)
    else:
        names = EMOTIONS if outputs == len(EMOTIONS) else tuple(f"LABEL_{k}" for k in range(outputs))
        named = Named(names, "official" if names == EMOTIONS else "config")
    if len(named.names) != outputs:
        asked = labels if named.origin == "file" else f"--labels {labels}"
        where = found.folder / "config.json" if labels is None else asked
        raise ModelError(
            f"the weights have {outputs} outputs, but {where} names {len(named.names)}: name them with --labels FILE, one a line"
        )
    try:
        LabelSet(named.names)
    except CorpusError as error:
        raise ModelError(f"{found.folder}: {error}") from None
    return named


def _lowered(names: tuple[str, ...]) -> tuple[str, ...]:
    """The 28 as we write them, whatever their case; other names stay."""
    small = tuple(name.strip().lower() for name in names)
    return small if set(small) == set(EMOTIONS) and len(small) == len(EMOTIONS) else names


def official(names: tuple[str, ...]) -> tuple[list[int], tuple[str, ...]]:
    """Which output comes where, and the names then: the 28 in the official order, others as they are."""
    if set(names) != set(EMOTIONS):
        return list(range(len(names))), names
    return [names.index(name) for name in EMOTIONS], EMOTIONS


def order_doubt(named: Named, truth: Array, said: Array) -> list[str]:
    """How the orders of the 28 fit dev, where another fits clearly better or nobody said which one it is.

    `truth` is in the official order, `said` in that in which the outputs were saved.
    """

    def fit(names: Sequence[str]) -> float:
        return float(average_precision(truth, said[:, [names.index(n) for n in EMOTIONS]]).mean())

    own, others = fit(named.names), {name: fit(order) for name, order in ORDERS.items() if order != named.names}
    better = [name for name, value in others.items() if value > own + CLEARLY]
    if not better and named.origin != "official":
        return []
    figures = ", ".join(f"{value:.3f} as '{name}'" for name, value in others.items())
    told = f"LABEL ORDER: on dev the outputs have a mean average precision of {own:.3f} as named here, {figures}"
    return [f"{told}: import it again with --labels {better[0]}" if better else told]
