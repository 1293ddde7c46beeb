"""What a training step is fed: windows drawn, cut, varied, mixed."""
