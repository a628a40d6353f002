-- Timeouts of the role that runs this file. PgBouncer does not accept them from clients, and SET
-- would leak to the next client of the connection. They apply to new connections: run RECONNECT in
-- PgBouncer, or restart it.
SET ROLE NONE;
ALTER ROLE CURRENT_USER SET statement_timeout = '15s';
ALTER ROLE CURRENT_USER SET lock_timeout = '5s';
ALTER ROLE CURRENT_USER SET idle_in_transaction_session_timeout = '30s';
