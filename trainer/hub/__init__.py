"""Models to the Hugging Face Hub and back: what is sent, what its card says, what is fetched."""
