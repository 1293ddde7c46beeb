"""Clips as CSV tables, and the names in them."""
