"""The statistics of ``df.mail`` counted where a store lies, by DuckDB, at any size.

A census is taken in two steps: DuckDB reads the columns that a question needs and gives back what
is few (counts by address, by quarter of an hour); NumPy and the rules of `mailframe.stats` make of
that what they make of a frame. So every definition stands once, there.
"""
