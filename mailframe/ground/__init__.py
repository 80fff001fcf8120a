"""What every floor stands on, and what knows no mail: names, UID sets, waiting, progress, files."""
