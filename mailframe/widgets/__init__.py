"""Look, filter, show: the explorer, the dashboard and the report."""
