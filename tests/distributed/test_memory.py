"""Memory that was freed is there again without new pages."""

import subprocess
import sys
from pathlib import Path

import pytest

from vggexp.distributed.memory import free_ram

PROGRAM = """
import resource
from vggexp.distributed.memory import keep_freed_memory

def faults_of_a_second_block():
    for _ in range(2):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        block = b"x" * 2**26
        del block
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print(faults_of_a_second_block(), keep_freed_memory(), faults_of_a_second_block())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's")
def test_a_second_block_costs_no_pages_if_memory_is_kept() -> None:
    shown = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    before, could, after = shown.stdout.split()
    if could == "False":
        pytest.skip("another C library")
    assert int(before) > 10_000  # 64 MiB are 16,384 pages
    assert int(after) < 1_000


RESIDENT = """
from vggexp.distributed.memory import give_back_freed_memory, keep_freed_memory

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 >> 20

class Cycle:
    def __init__(self):
        self.blocks, self.itself = [b"x" * 2**20 for _ in range(200)], self

could = keep_freed_memory()
Cycle()
before = resident()
give_back_freed_memory()
print(could, before - resident())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's")
def test_what_hangs_in_a_cycle_is_given_back_although_freed_memory_is_kept() -> None:
    shown = subprocess.run([sys.executable, "-c", RESIDENT], capture_output=True, text=True, check=True)
    could, mebibytes = shown.stdout.split()
    if could == "False":
        pytest.skip("another C library")
    assert int(mebibytes) > 150  # of 200


def test_free_memory_is_the_containers_if_that_has_less(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:  4000 kB\nMemAvailable:  3000 kB\n")
    assert free_ram(meminfo, tmp_path) == 3000 * 1024
    (tmp_path / "memory.max").write_text("max\n")
    assert free_ram(meminfo, tmp_path) == 3000 * 1024
    (tmp_path / "memory.max").write_text("2048000\n")
    (tmp_path / "memory.current").write_text("1024000\n")
    (tmp_path / "memory.stat").write_text("anon 5\ninactive_file 24000\n")  # files give way
    assert free_ram(meminfo, tmp_path) == 1_048_000
