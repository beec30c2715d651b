"""The request's body: strict JSON that a database, S3 and JavaScript can all store."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from renders.api.errors import PayloadTooLarge
from renders.remotion.json import MAX_DEPTH, TooDeep, parse_json


class StrictJSONParser(BaseParser):
    """Parse a JSON object as RFC 8259 defines it."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        # DRF calls a parser only where there is a Content-Length, and adds the request to the context.
        length = int((parser_context or {})["request"].META["CONTENT_LENGTH"])
        try:
            value = parse_json(_read(stream, length=length), replace=False)
        except TooDeep as err:
            raise ParseError(f"The JSON is nested deeper than {MAX_DEPTH} levels.") from err
        except ValueError as err:
            raise ParseError(f"The request's body is not JSON that can be used: {err}.") from err
        if not isinstance(value, dict):
            raise ParseError('Send a JSON object, for example {"inputProps": {…}}.')
        return value


def _read(stream: IO[bytes], *, length: int) -> bytes:
    """Return the body; raise PayloadTooLarge before reading any of it, ParseError if it is cut off."""
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if length > limit:
        raise PayloadTooLarge(f"The request's body is over {limit:,} bytes. Send less in inputProps.")
    body = stream.read(length)
    if len(body) != length:
        raise ParseError(f"The request's body ended after {len(body):,} of {length:,} bytes: send it again.")
    return body
