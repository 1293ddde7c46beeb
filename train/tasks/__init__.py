"""What a model learns: labels, sets, numbers, auxiliary outputs."""
