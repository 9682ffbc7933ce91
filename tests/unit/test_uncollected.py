"""While libraries are imported nobody looks for cycles, and afterwards as before."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from trainer.uncollected import uncollected


@pytest.mark.parametrize("searched", [True, False])
def test_the_search_goes_on_afterwards_as_it_was_before(searched: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if searched else gc.disable)()
        with pytest.raises(ImportError), uncollected():
            assert not gc.isenabled()
            raise ImportError
        assert gc.isenabled() is searched
    finally:
        (gc.enable if before else gc.disable)()


def test_what_is_kept_to_the_end_is_looked_at_no_more() -> None:
    """In a process of its own: this one goes on with many other tests."""
    script = (
        "import gc; from trainer.uncollected import uncollected\n"
        "with uncollected(for_good=True):\n    made = [[] for _ in range(5000)]\n"
        "print(gc.isenabled(), gc.get_freeze_count() >= 5000)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]
