"""What the writers of predict jobs share, and what their workers do with one image; `image_writer` is the scaffold."""
