"""A model file that runs: interpreter, tensors, classifier, clip merge."""
