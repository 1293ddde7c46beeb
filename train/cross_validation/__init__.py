"""Every group tested once by a training that never heard it: folds, seeds and settings as tasks of their own."""
