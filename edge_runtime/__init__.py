"""Everything that runs on the device, on NumPy and a LiteRT interpreter alone."""
