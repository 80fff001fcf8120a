"""The search language, and the columns of a frame made ready to be asked: no widget is known here.

``language`` reads a line into ``predicates``; a predicate is asked of ``filterable`` columns and
can say itself in pandas; ``matching`` keeps the verdicts while filters change.
"""
