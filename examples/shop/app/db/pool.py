"""The connection pool, which counts the requests that wait for a connection."""

from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry


class Pool(AsyncAdaptedQueuePool):
    """A pool that knows how many requests wait for a connection, or for one to open."""

    # The logger of the parent class.
    _sqla_logger_namespace = "sqlalchemy.pool.impl.AsyncAdaptedQueuePool"
    waiting = 0

    def _do_get(self) -> ConnectionPoolEntry:
        self.waiting += 1
        try:
            return super()._do_get()
        finally:
            self.waiting -= 1
