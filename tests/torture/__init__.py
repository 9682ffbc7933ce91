"""`make torture`: trainings that are killed again and again, and must end as if nobody had touched them.

Real small runs in real workers; what is looked at is the run folder alone, never the inside of the trainer.
"""
