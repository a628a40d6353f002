"""Reading and writing rows: plain functions that take a session.

They flush but never commit; the caller owns the transaction. With a key that does not exist they
raise NotFoundError, with another version of the row PreconditionFailedError.
"""
