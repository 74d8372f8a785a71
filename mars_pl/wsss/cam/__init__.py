"""Class activation maps and the classifier that draws them."""
