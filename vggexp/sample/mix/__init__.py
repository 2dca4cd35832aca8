"""How the images of a training batch are mixed, one file an option: a batch to batches that share its images.

May use types.py; applied by learner/learner.py.
"""
