"""What a model is told: labels, sets, numbers, auxiliary outputs."""
