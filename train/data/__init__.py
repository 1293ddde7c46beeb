"""The verb `data`, and the way from a folder to clips on their sides."""
