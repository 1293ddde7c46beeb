"""The verb `listen`: events with beginning and end, from a stream."""
