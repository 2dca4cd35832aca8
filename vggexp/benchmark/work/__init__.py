"""What is measured: one file a work, with ``plan(sizes)``. They import no torch."""
