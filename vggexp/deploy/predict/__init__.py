"""Applies a finished run to photos of any size, and maps its predictions back onto the photos."""
