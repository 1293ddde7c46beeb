"""A model as C files for a microcontroller, with its front end."""
