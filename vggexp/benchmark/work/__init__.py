"""The works: one file each, with ``plan(sizes)``. They import no torch."""
