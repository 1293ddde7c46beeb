"""Training on for smaller files: quantization-aware, pruned, clustered; through a tf_keras twin."""
