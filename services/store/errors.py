"""What can go wrong with the store itself."""


class StoreError(Exception):
    """The database cannot be used; the text says why and what to do. It holds no words."""


class BadCursor(ValueError):
    """A cursor that no page gave."""
