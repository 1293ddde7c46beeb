"""A bundle as a device finds it: manifest and archive."""
