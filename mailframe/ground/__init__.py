"""What every floor stands on, and what knows no mail: names, sets of numbers, waiting, progress, files."""
