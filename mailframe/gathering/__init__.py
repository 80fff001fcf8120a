"""What came for a folder on its way into record batches: rows, and the details told beside them."""
