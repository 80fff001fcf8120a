"""The command line: discover, folders, fetch, sync, fleet, stats, report, explore, demo."""
