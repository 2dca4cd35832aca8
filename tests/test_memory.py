"""Memory that was freed is there again without new pages."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource
from vggexp.memory import keep_freed_memory

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
