"""Recipes applied: ranges, the rewriting, drift by layer, mixed precision."""
