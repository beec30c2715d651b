"""The request's body: strict JSON that a database, S3 and JavaScript can all store."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

from renders.remotion.json import MAX_DEPTH, TooDeep, parse_json


class BodyTooLarge(APIException):
    status_code = 413


class StrictJSONParser(BaseParser):
    """Parse a JSON object as RFC 8259 defines it."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge(f"The request's body is over {limit:,} bytes. Send less in inputProps.")
        try:
            value = parse_json(body, replace=False)
        except TooDeep as err:
            raise ParseError(f"The JSON is nested deeper than {MAX_DEPTH} levels.") from err
        except ValueError as err:
            raise ParseError(f"The request's body is not JSON that can be used: {err}.") from err
        if not isinstance(value, dict):
            raise ParseError('Send a JSON object, for example {"inputProps": {…}}.')
        return value
