"""IRNet's inter-pixel relations: class boundaries that tell which cells belong together (Ahn, Cho and Kwak 2019)."""
