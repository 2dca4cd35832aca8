"""Losses: (outputs, target) to a scalar; one file each, none knows another."""
