"""The suite; a package, so that its folders do not shadow those of the project."""
