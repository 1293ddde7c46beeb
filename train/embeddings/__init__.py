"""Recordings as vectors: what a network hears before it tells labels, kept in a file, and which of them are near."""
