"""The charts as Vega-Lite, and the few numbers that they draw: no widget is known here."""
