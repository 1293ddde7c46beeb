"""Fitting a model: run, state, resume, finished run."""
