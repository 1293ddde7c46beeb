"""Recordings added: which ones, how loud, as a table, as files."""
