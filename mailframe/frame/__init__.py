"""Rows of mail as Arrow record batches, DataFrames and files."""
