"""STEGO: a head on frozen features that draws alike places together."""
