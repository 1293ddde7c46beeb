"""The verb `classify`: recordings in, rows by window and by clip out."""
