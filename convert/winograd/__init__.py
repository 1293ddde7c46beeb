"""Fast float convolutions by minimal filtering."""
