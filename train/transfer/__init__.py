"""Training what a backbone lacks: features of recordings, and a head that tells labels by them."""
