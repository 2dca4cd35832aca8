"""A finished run applied to photos of any size: what the network sees of one, and where its answer lies on it."""
