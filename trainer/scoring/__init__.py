"""What is said held against what is true, in numbers: arithmetic on arrays alone, for the core and for the terminal.

Knows neither models nor files, and may import neither torch nor pandas. It fits nothing: whoever asks says what was said.
"""
