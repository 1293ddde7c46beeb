"""Mel spectrograms in NumPy, equal to librosa's."""
