"""Measures and their intervals."""
