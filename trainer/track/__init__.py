"""Runs mirrored to what other people look at: TensorBoard, trackio, W&B, MLflow. Reads the event log and nothing else.

A mirror is a process of its own that no training waits for or hears of. May not import torch, transformers or pandas.
"""
