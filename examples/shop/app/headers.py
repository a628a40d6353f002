"""Headers of requests and responses: ETag and If-Match (RFC 9110), Location, Link."""

import datetime as dt
import re
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Header, HTTPException, Request, Response

from app.db.base import Base

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
# Also matches weak ETags, `W/"1"`: proxies that compress responses weaken them.
_ETAG = re.compile(r'(?:W/)?"([0-9]{1,17})"')
# Databases limit the number of parameters.
_MAX_ETAGS = 100


def set_etag(response: Response, row: Base) -> None:
    """Set the ETag of a row: its `updated_at` in microseconds."""
    response.headers["ETag"] = f'"{(row.updated_at - _EPOCH) // _MICROSECOND}"'


async def get_versions(
    request: Request,
    if_match: Annotated[
        str | None,
        Header(description="Only write a row with one of these ETags; 412 otherwise"),
    ] = None,
) -> Sequence[dt.datetime] | None:
    """Return the versions of an If-Match header; None means any."""
    if if_match is None and request.app.state.settings.require_if_match:
        raise HTTPException(428, "Send the ETag of the row as If-Match.")
    # Several header lines are one list.
    tags = [tag.strip() for tag in ",".join(request.headers.getlist("if-match")).split(",")]
    if if_match is None or tags == ["*"]:
        return None
    found = [match for tag in tags if (match := _ETAG.fullmatch(tag))]
    return [_EPOCH + int(match[1]) * _MICROSECOND for match in found[:_MAX_ETAGS]]


IfMatch = Annotated[Sequence[dt.datetime] | None, Depends(get_versions)]


def set_created(request: Request, response: Response, row: Base) -> None:
    """Set the Location and the ETag of a created row."""
    response.headers["Location"] = f"{request.scope['path']}/{row.id}"
    set_etag(response, row)


def set_next(request: Request, response: Response, cursor: str | None) -> None:
    """Link to the next page of a list, if there is one."""
    if cursor is not None:
        given = request.query_params.multi_items()
        query = [(name, value) for name, value in given if name not in ("cursor", "offset")]
        url = f"{request.scope['path']}?{urlencode([*query, ('cursor', cursor)])}"
        response.headers["Link"] = f'<{url}>; rel="next"'
