"""What people look at beside the scores: confusion matrices, curves, histograms, and how each single image fared.

Pure functions, two a kind: ``rows`` says of each image of a batch what is worth keeping (among it ``score``, 0 to 1,
by which images are ranked), ``diagnostics`` makes of all images' rows what a table or a figure shows, in JSON's types.
"""
