"""The phone replayed: AudioRecord, ring buffer, ticks, and the same cut offline."""
