"""Recordings on disk: found, indexed, decoded, imported, trimmed, put on the sides of a split."""
