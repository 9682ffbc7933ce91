"""A run on disk: one folder that is the whole contract between the worker and whoever watches it.

Known without torch. The worker writes the story, everybody else only reads it and leaves requests in `control/`.
"""
