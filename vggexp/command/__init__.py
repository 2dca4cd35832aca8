"""One file a verb, each with ``run(config)``.

May use every room below; called by sweep/job.py once the config is checked.
"""
