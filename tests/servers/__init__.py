"""Real and scripted servers that the tests talk to over loopback."""
