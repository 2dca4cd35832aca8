"""Compares the speed of vggexp and alternatives: each contestant is a process, and all do the same work in rounds.

``work/`` has one file per workload, ``against/`` one per contestant, vggexp included. The parent imports no torch.
"""
