"""A prediction child for pictures: the scripted one, with 28 labels and probabilities from a formula."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.ui.picture_runs import chance
from tests.unit import scripted_child
from trainer.labels import EMOTIONS

FELT = {"excitement": 0.874, "nervousness": 0.652, "joy": 0.31, "optimism": 0.137, "fear": 0.094}
OTHER = {"excitement": 0.71, "nervousness": 0.42, "joy": 0.44, "optimism": 0.08, "neutral": 0.12}


def scores(felt: dict[str, float], seed: str) -> dict[str, float]:
    return {name: felt.get(name, round(0.06 * chance(seed, name), 4)) for name in EMOTIONS}


def main() -> None:
    scripted_child.SCORES.update(scores(FELT, "a"))
    scripted_child.OTHER_SCORES.clear()
    scripted_child.OTHER_SCORES.update(scores(OTHER, "b"))
    scripted_child.THRESHOLDS.update({name: round(0.2 + 0.2 * chance("t", name), 2) for name in EMOTIONS})
    plain = scripted_child.say
    scripted_child.say = lambda **told: plain(**told | ({"max_length": 64} if "max_length" in told else {}))
    scripted_child.main(sys.argv[1], Path(sys.argv[2]), sys.argv[4] if len(sys.argv) > 4 else "brave-finch")


if __name__ == "__main__":
    main()
