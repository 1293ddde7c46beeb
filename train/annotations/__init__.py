"""Recordings with annotations: which label is heard from when to when, and what a detector learns from it."""
