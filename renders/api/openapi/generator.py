"""The whole description, with the addresses as the pages in docs/ write them."""

from typing import Any

from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator


class Addresses(EndpointEnumerator):
    """The addresses of the API; each also works with, or without, the slash at its end."""

    def get_path_from_regex(self, path_regex: str) -> str:
        path: str = super().get_path_from_regex(path_regex)
        return path.rstrip("/") if path.startswith("/api/lambda/") else path


class Generator(SchemaGenerator):
    """The ``DEFAULT_GENERATOR_CLASS``."""

    endpoint_inspector_cls = Addresses


def description() -> dict[str, Any]:
    """Return the OpenAPI document."""
    document: dict[str, Any] = Generator().get_schema(request=None, public=True)
    return document
