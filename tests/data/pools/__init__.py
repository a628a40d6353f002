"""Load, fault and process tests, run inside a rendered project as `tests/pools`."""
