"""File formats that a trained network is handed on in: one module each, found by its name.

A module has ``SUFFIX``; ``write(network, content, images, path, **options)``, which returns what the file's card should
say of it; and ``read(path)``, which returns the file as a function from images to predictions. ``content`` is what a
checkpoint holds; ``images``, uint8 (3, 3, H, W), are an example of what the network takes.
"""
