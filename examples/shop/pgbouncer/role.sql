-- Timeouts of the role that runs this file. PgBouncer takes no such settings from a client, and a
-- SET would stay on a server connection for its next user; a role's settings hold on every way in.
-- New connections have them: RECONNECT in PgBouncer, or restart it, to replace the old ones.
ALTER ROLE CURRENT_USER SET statement_timeout = '15s';
ALTER ROLE CURRENT_USER SET lock_timeout = '5s';
ALTER ROLE CURRENT_USER SET idle_in_transaction_session_timeout = '30s';
