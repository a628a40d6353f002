"""Upgrade and downgrade, compared with the models."""

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from anyio.to_thread import run_sync
from sqlalchemy.ext.asyncio import AsyncEngine


def test_there_is_one_head(alembic_config: Config) -> None:
    assert len(ScriptDirectory.from_config(alembic_config).get_heads()) == 1


def check_downgrade_and_upgrade(config: Config) -> None:
    """Compare the schema with the models, before and after undoing and redoing all revisions."""
    command.check(config)
    command.downgrade(config, "base")
    command.upgrade(config, "head")
    command.check(config)


async def test_revisions_match_the_models(alembic_config: Config, engine: AsyncEngine) -> None:
    await run_sync(check_downgrade_and_upgrade, alembic_config)
    # Pooled connections may have cached the old tables.
    await engine.dispose()
