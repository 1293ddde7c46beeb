"""Files of any format and rate, decoded in blocks."""
