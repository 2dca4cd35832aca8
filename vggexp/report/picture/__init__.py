"""A network's ledger as a picture: what is drawn (blocks.py), where (layout.py), as shapes (draw.py) and files."""
