"""CRUD functions: plain functions that take a session.

Unless they say otherwise, they flush and leave the commit to the caller. They raise NotFoundError
if the row does not exist, and PreconditionFailedError if its version does not match.
"""
