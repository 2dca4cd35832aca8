"""Data sets: one file each, beside ``image.py`` (files to tensors) and ``transform.py`` (recipes of augmentation)."""
