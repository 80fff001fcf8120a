"""The readers that a notebook calls: from an address, a URL or a file to a frame or a store."""
