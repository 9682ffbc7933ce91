"""A prediction child that knows no model: it speaks the protocol of `trainer.infer.service` and obeys its script.

`python scripted_child.py HOW LOG [--model NAME]`: every request it reads is appended to the file LOG. A text `die` ends
it, `odd` is answered with an error, `hold` waits until the file LOG.go exists.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

SCORES = {"joy": 0.8, "fear": 0.25, "neutral": 0.1}
THRESHOLDS = {"joy": 0.4, "fear": 0.2, "neutral": 0.5}


def command(how: str, log: Path) -> tuple[str, ...]:
    """The command line of this child."""
    return (sys.executable, str(Path(__file__).resolve()), how, str(log))


def say(**message: object) -> None:
    print(json.dumps(message), flush=True)


def ready(model: str, **more: object) -> None:
    say(
        event="ready", model=model, path=os.environ.get("CHILD_MODEL_PATH", ""), labels=list(SCORES),
        thresholds=THRESHOLDS, device="cpu", layers=6, width=384, parameters=22_700_000, bytes=90_900_000,
        max_length=8, warnings=[], seconds=0.1, **more,
    )  # fmt: skip


def answer(request: dict, log: Path) -> None:
    text = request["texts"][0]
    if text == "die":
        print("Killed", file=sys.stderr, flush=True)
        os._exit(9)
    if text == "hold":
        while not log.with_suffix(".go").exists():
            time.sleep(0.01)
    if text == "odd":
        say(id=request["id"], error="that text is odd")
        return
    given = request["threshold"]
    chosen = [
        {"emotion": name, "probability": p, "threshold": THRESHOLDS[name] if given == "tuned" else given}
        for name, p in SCORES.items()
        if p >= (THRESHOLDS[name] if given == "tuned" else given)
    ]
    say(id=request["id"], ms=1.5, results=[{"text": text, "emotions": chosen, "scores": SCORES}])


def main(how: str, log: Path, model: str) -> None:
    if how == "crash":
        print("ImportError: no torch", file=sys.stderr)
        sys.exit(3)
    if how == "deaf":
        import signal

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        ready(model)
        time.sleep(60)
    say(event="loading", what="importing torch")
    print("this is no JSON", flush=True)
    if how == "empty":
        say(event="error", what="load", message="there is no model yet. Make one: goemo-tui train")
    else:
        ready(model)
    for line in sys.stdin:
        request = json.loads(line)
        with log.open("a") as file:
            file.write(line)
        if request["op"] == "load" and request["model"] == "broken":
            say(id=request["id"], event="error", what="load", message="broken holds no weights")
        elif request["op"] == "load":
            say(id=request["id"], event="loading", what="reading the weights")
            ready(request["model"], id=request["id"])
        else:
            answer(request, log)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[4] if len(sys.argv) > 4 else "starter")
