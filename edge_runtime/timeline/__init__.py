"""The verb `timeline`: recordings in, time stamps out: a row a second, and segments with refined borders."""
