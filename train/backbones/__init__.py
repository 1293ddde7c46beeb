"""Networks that have heard millions of recordings, as a beginning: their files, their weights, their layers."""
