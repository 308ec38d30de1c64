"""Systems on suites -> records: planned, named, asked, judged and kept; sweeps and single questions among them."""
