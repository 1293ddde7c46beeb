"""Metadata in and out of a model file, without repacking the model."""
