"""Clips in, trained Keras model out."""
