"""A file that somebody else made: what it states, what the user says, what the graph shows."""
