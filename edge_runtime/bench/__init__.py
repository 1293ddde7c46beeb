"""What files cost on this machine: latency, cold start, memory."""
