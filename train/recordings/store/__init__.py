"""The cache of decoded recordings."""
