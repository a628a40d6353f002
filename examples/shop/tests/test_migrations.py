"""The migrations, forwards and back, against the models."""

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from anyio.to_thread import run_sync
from sqlalchemy.ext.asyncio import AsyncEngine


def test_there_is_one_head(alembic_config: Config) -> None:
    assert len(ScriptDirectory.from_config(alembic_config).get_heads()) == 1


def there_and_back(config: Config) -> None:
    """Compare with the models, before and after all revisions were undone and done again."""
    command.check(config)
    command.downgrade(config, "base")
    command.upgrade(config, "head")
    command.check(config)


async def test_the_revisions_lead_to_the_models(
    alembic_config: Config, engine: AsyncEngine
) -> None:
    await run_sync(there_and_back, alembic_config)
    # No other test gets a connection that knows the tables from before.
    await engine.dispose()
