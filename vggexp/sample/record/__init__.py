"""What a layout says of its photos, in one form for all layouts, and what makes a data set of it.

A reader in ``vggexp/data`` turns a folder into a ``Listing``; ``photos.Photos`` makes a data set of it: classes,
splits, targets.
"""
