"""Benchmarks: ratios of real readers against a bare socket, on a real Dovecot."""
