"""The images of a run: what is measured of each, its pictures, and what the page is told of them."""
