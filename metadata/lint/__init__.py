"""Which loaders take a model file, told from its bytes."""
