"""What ``inspect`` reports about a folder of photos: counts, problems, a page.

May use sample/ and task/drawing.py; used by command/inspect.py.
"""
