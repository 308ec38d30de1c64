"""The command line: one module per command. Nothing else in rimbench imports this package."""
