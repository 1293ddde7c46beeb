"""The one checked reader of the format, and the ZIP behind it."""
