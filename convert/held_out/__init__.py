"""Reports on held-out recordings: counting pipelines, and thresholds for longer recordings."""
