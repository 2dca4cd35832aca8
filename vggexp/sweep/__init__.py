"""Runs a command line as one job or as a sweep of many: journal, skipping of finished jobs, resources, Optuna.

May use config/; called by __main__.py.
"""
