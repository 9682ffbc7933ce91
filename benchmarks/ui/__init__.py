"""`make bench-ui`: every budget of the terminal, measured over a real pty at 120x36, beside what it may be."""
