"""rimbench measures whether reasoning in memory pays."""

__version__ = "0.1.0"
