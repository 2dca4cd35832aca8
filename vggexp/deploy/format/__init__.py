"""File formats for export: one module each, named as the option.

A module has ``SUFFIX``; ``write(network, content, images, path, **options)``, which returns facts for the file's
card; and ``read(path)``, which returns the file as a function from images to predictions. ``content`` is a
checkpoint's content; ``images``, uint8 (3, 3, H, W), are an example input.
"""
