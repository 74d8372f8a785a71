"""The one error a user's data can cause."""


class DataError(ValueError):
    """A fault in files or settings that a user can mend; its text is one line that names the culprit and the remedy."""
