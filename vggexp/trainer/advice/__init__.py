"""``advise``: what the stages of each source are worth on a data set, what each freeze policy costs, and which to take.

Only ``command/advise`` uses it.
"""
