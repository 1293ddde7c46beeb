"""Scores against the truth: measures, thresholds, rotated windows."""
