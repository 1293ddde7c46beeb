"""Whether a file behaves as the trained model does: levels, golden vectors, other machines."""
