"""Recordings with annotations: labels with onset and offset, and the targets of a detector."""
