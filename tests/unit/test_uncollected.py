"""While libraries are imported nobody looks for cycles; afterwards as before, but for what is there by then.

In a process of its own: this one goes on with many other tests.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import gc
from trainer.uncollected import uncollected
gc.{how}()
try:
    with uncollected():
        made = [[] for _ in range(5000)]
        assert not gc.isenabled()
        raise ImportError
except ImportError:
    print(gc.isenabled(), gc.get_freeze_count() >= 5000)
"""


@pytest.mark.parametrize(("how", "told"), [("enable", "True True"), ("disable", "False False")])
def test_the_search_goes_on_afterwards_as_it_was_before(how: str, told: str) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT.format(how=how)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == told
