"""The verb `web`: the page on which models hear files and a microphone in a browser, served or as a folder."""
