"""Models and corpora to and from the Hugging Face hub, or folders in its formats: data, never anything that runs."""
