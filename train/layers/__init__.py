"""Keras layers of the front ends: mel, Fourier, gammatone."""
