"""What a device gets: files, golden streams and the device part, in one archive."""
