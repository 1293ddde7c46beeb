"""What a build found: proof, choice, tables."""
