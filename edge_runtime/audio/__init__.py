"""Samples on their way to a model: files, pipes, microphone, rates, windows."""
