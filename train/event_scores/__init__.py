"""Measures for events and segments of recordings: how well what a detector found agrees with annotations."""
