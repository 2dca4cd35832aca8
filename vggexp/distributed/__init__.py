"""The processes and devices of a run: launching, FSDP, precision, memory.

May use the nouns alone; used by every room that trains.
"""
