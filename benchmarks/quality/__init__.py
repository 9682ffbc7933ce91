"""How good the models are that the recipes make: each recipe trained on a corpus, over seeds, and scored on its dev split."""
