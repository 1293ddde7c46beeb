"""The verb `review`: a page on which uncertain takes are heard and labelled, and the clip index that comes of it."""
