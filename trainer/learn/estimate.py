"""What a training would take, measured by a child process: `python -P -m trainer.learn.estimate`.

Its settings come as one JSON object on a line of stdin; it answers in JSON lines on stdout and ends at once when stdin
does, whatever it is doing. It makes no run, downloads nothing and writes no file.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from dataclasses import asdict
from typing import Any

from trainer.config import TrainConfig
from trainer.errors import ConfigError, GoemoError


def main() -> int:
    """Measure what stdin asks for. 0 measured, otherwise the exit code of what was wrong.

    Answers are `{"say": …}` while it works, then `{"measured": {…}}` or `{"error": …, "key": …}`.
    """
    began = time.monotonic()
    # the protocol's stream is kept apart, so that nothing a library prints can slip into it
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)

    def tell(**message: Any) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    def say(text: str) -> None:
        tell(say=text)

    try:
        config = _asked()
        threading.Thread(target=_end_with_stdin, name="stdin", daemon=True).start()
        say("loading torch")
        from trainer.learn.timing import measure

        tell(measured=asdict(measure(config, say, began)))
    except GoemoError as error:
        tell(error=str(error), key=error.key if isinstance(error, ConfigError) else None)
        return error.exit_code
    except Exception as error:  # whoever asked shows one line; the story is on stderr
        traceback.print_exc()
        tell(error=f"{type(error).__name__}: {error}", key=None)
        return 1
    return 0


def _asked() -> TrainConfig:
    line = sys.stdin.buffer.readline()
    try:
        settings = json.loads(line)
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        raise ConfigError("the settings are to come as one JSON object on a line of stdin")
    return TrainConfig.from_dict(settings)


def _end_with_stdin() -> None:
    """Whoever asked has gone, or does not want to know any more."""
    while os.read(0, 4096):
        pass
    os._exit(130)


if __name__ == "__main__":
    sys.exit(main())
