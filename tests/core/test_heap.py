from __future__ import annotations

import subprocess
import sys

import pytest

MEGABYTES = 40
ROUNDS = 10
AGAIN = f"""
import resource, sys, threading
import numpy as np
from napari_synth.core.heap import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()

def work():
    for _ in range(2):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range({ROUNDS}):
            first, second = np.ones({MEGABYTES} * 2**17), np.ones({MEGABYTES} * 2**17)
            del second, first
        pages = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    print(pages)

thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


def pages_asked_for_again(how):
    """Of the system, by a thread that takes the same memory again and again."""
    done = subprocess.run([sys.executable, "-c", AGAIN, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is done")
def test_memory_is_not_asked_for_again():
    assert pages_asked_for_again("kept") * 10 < pages_asked_for_again("as ever")
