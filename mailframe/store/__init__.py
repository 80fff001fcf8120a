"""The header store: one Parquet file a folder, brought up to date by what changed."""
