"""`python -m trainer.model.pickled PARENT OUT FILE…`: weights that were saved as pickle, written again as safetensors.

The one place of the program that may read such a file, for `goemo-tui import` alone: in a process of its own that is shut in
(`shut_in`), with `weights_only`, which builds tensors and looks no name up. What else the file asks for ends the process.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from trainer.model import shut_in

SECONDS = 600
"""Of a processor, at most."""

ROOM = 1 << 30
"""Bytes of memory beside three times the largest file: mapped, as tensors, and as what is written."""

INSIDE = ("state_dict", "model_state_dict", "model")
"""Under which name checkpoints of training programs keep the weights."""


def main(arguments: list[str]) -> int:
    """Write `OUT/0.safetensors`, … and one JSON object on stdout: what was left out and how the network is cut, or `error`."""
    out, files = Path(arguments[1]), [Path(name) for name in arguments[2:]]
    network = shut_in.cut_network(int(arguments[0]))  # before torch starts threads
    import torch
    from safetensors.torch import save_file

    shut_in.limit(SECONDS, 3 * max(file.stat().st_size for file in files) + ROOM)
    shut_in.refuse()
    left_out: list[str] = []
    for number, file in enumerate(files):
        try:
            with file.open("rb") as start:
                zipped = start.read(4) == b"PK\x03\x04"
            said = torch.load(file, map_location="cpu", weights_only=True, mmap=zipped)
            weights, others = _weights(said)
            save_file(weights, out / f"{number}.safetensors")
        except BaseException as error:  # whatever a hostile file makes of it
            print(json.dumps({"error": f"{file.name} {_reason(error)}"}))
            return 1
        left_out += others
    print(json.dumps({"left_out": left_out[:20], "network": network, "files": len(files)}))
    return 0


def _weights(said: Any) -> tuple[dict[str, Any], list[str]]:
    """Name -> tensor, each with memory of its own, and the names of what is no weight. Raises ValueError."""
    import torch

    for name in INSIDE:
        if isinstance(said, dict) and isinstance(said.get(name), dict):
            said = said[name]
    found, others = {}, []
    for name, value in said.items() if isinstance(said, dict) else ():
        if isinstance(value, torch.Tensor) and value.layout == torch.strided and not value.is_quantized:
            # tied weights share their memory, which safetensors does not know
            found[str(name)] = value.detach().clone(memory_format=torch.contiguous_format)
        else:
            others.append(str(name)[:80])
    if not found:
        raise ValueError("holds no table of names and tensors")
    return found, others


def _reason(error: BaseException) -> str:
    """For people, without torch's advice to trust the file."""
    text = str(error)
    asked = re.search(r"Unsupported (?:global|class): (?:GLOBAL )?([\w.]+)", text) or re.search(
        r"Trying to (?:load unsupported GLOBAL|instantiate unsupported class) ([\w.]+)", text
    )
    if asked:
        return (
            f"asks for {asked[1]}, which is code and no weight: the file is refused, and nothing of it was run. If it is a "
            "whole model, save its weights where it was made: torch.save(model.state_dict(), 'pytorch_model.bin')"
        )
    if isinstance(error, MemoryError) or re.search(r"not enough memory|can't allocate|Cannot allocate|bad_alloc", text):
        return "asks for more memory than weights of its size need: refused"
    if isinstance(error, PermissionError):
        return f"does what no weights do ({text}): refused"
    if "Weights only load failed" in text:
        what = re.search(r"WeightsUnpickler error: \s*(.+)", text)
        return f"is no file of weights that can be read safely ({what[1][:120] if what else 'refused by torch'})"
    first = (text.strip().splitlines() or [type(error).__name__])[0]
    sentence = re.split(r"\.\s", first, maxsplit=1)[0].rstrip(".")
    return f"cannot be read, it is broken or cut short ({sentence[:200]}): copy or fetch it again"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
