"""Data sets, one file a word of ``data=``.

May use sample/, boxes.py and types.py; built by trainer/build.py.
"""
