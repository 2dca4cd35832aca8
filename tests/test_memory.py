"""Memory that was freed is there again without new pages."""

import resource
import sys

import pytest
import torch

from vggexp.memory import keep_freed_memory


def faults_of_a_second_block() -> int:
    """Pages that the system had to clear for 64 MiB, after as much was used and freed."""
    for _ in range(2):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        block = torch.ones(2**24)
        del block
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's")
def test_a_second_block_costs_no_pages_if_memory_is_kept() -> None:
    try:
        if not keep_freed_memory():
            pytest.skip("another C library")
        assert faults_of_a_second_block() < 2000
        assert keep_freed_memory(False)
        assert faults_of_a_second_block() > 10000
    finally:
        keep_freed_memory()
