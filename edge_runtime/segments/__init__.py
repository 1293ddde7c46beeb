"""Stretches of time with a label: what an annotation holds, and what a detector finds."""
