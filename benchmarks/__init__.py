"""What this program costs, measured on the machine at hand as ratios between things timed in one run."""
