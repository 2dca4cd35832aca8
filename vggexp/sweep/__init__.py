"""One command line, one job or many: journal, skipping, resources, Optuna.

May use config/; called by __main__.py.
"""
