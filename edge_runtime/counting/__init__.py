"""The verb `count`: a source counter and a classifier for each count."""
