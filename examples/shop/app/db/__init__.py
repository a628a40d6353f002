"""The database: models, engine, sessions."""
