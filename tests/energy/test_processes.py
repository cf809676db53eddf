from __future__ import annotations

import subprocess
import sys

from kubepipe.energy.processes import MemoryWatch, tree_cpu_seconds, tree_rss_bytes

_BURN = """
import sys, time
while time.process_time() < 0.3: pass
print("done", flush=True)
sys.stdin.read()
"""


def test_children_count_while_they_live_and_after() -> None:
    """CPU time of a child counts once: while it runs, and after it was waited for."""
    before = tree_cpu_seconds()
    with subprocess.Popen([sys.executable, "-c", _BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        alive = tree_cpu_seconds() - before
    ended = tree_cpu_seconds() - before
    assert alive >= 0.28
    assert alive <= ended < 2 * alive


def test_peak_of_memory_between_two_looks() -> None:
    """A short peak of this process is seen although no look fell on it."""
    size = 64 * 2**20
    watch = MemoryWatch()
    watch.start()
    block = bytearray(size)
    block[::4096] = b"x" * len(block[::4096])
    del block
    used = watch.stop()
    assert used.peak_bytes >= size
    assert used.byte_seconds > 0


def test_memory_of_children() -> None:
    """The memory of live children is part of the tree's."""
    alone = tree_rss_bytes()
    program = "b = bytearray(50 * 2**20); print('ready', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        together = tree_rss_bytes()
        child.communicate(b"\n")
    assert together - alone > 50 * 2**20
