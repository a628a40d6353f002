"""The connection budget; run inside a rendered project."""

import pytest
from app.db.budget import connection_budget, main, parse_arguments
from app.settings import Settings

BEHIND_PGBOUNCER = "prepared_statements" in Settings.model_fields
POOL = {"web_concurrency": 4, "pool_size": 4, "max_overflow": 2}


def test_every_process_counts_its_whole_pool(settings: Settings) -> None:
    deployment = parse_arguments(["--replicas=3"])
    first, *_ = connection_budget(settings.model_copy(update=POOL), deployment)
    # Six in the pool and one for the readiness probe.
    assert first.needed == 3 * 4 * 7


def test_a_read_replica_has_a_pool_of_its_own(settings: Settings) -> None:
    replica = {**POOL, "read_database_url": settings.database_url}
    limits = connection_budget(settings.model_copy(update=replica), parse_arguments([]))
    # Behind PgBouncer both are its clients.
    if BEHIND_PGBOUNCER:
        assert limits[0].needed == 4 * 13
    else:
        assert [limit.needed for limit in limits] == [4 * 7, 4 * 6]


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(("replicas", "status"), [(1, 0), (1000, 1)])
def test_the_command_fails_if_a_limit_is_exceeded(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    replicas: int,
    status: int,
) -> None:
    monkeypatch.setenv("POOL_SIZE", "1")
    assert main([f"--replicas={replicas}"]) == status
    assert ("EXCEEDED" in capsys.readouterr().out) is bool(status)


def test_negative_numbers_are_refused_before_settings_are_read(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(SystemExit):
        main(["--max-connections=-1"])
    assert "argument --max-connections: must not be negative" in capsys.readouterr().err
