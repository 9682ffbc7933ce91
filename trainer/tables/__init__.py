"""Files of any size as rows with named fields: read in portions, written in parts. No torch, and nothing of emotions."""
