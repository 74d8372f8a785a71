"""`mars predict IMAGES --fit FIT`."""
