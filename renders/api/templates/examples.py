"""Examples of templates, as OpenAPI shows them."""

from typing import Any

EXAMPLE_IN_A_LIST: dict[str, Any] = {
    "name": "promo",
    "title": "Promo",
    "composition": "Promo",
    "site": "",
    "version": 1,
    "width": 1920,
    "height": 1080,
    "fps": 30.0,
    "length": "fixed",
    "durationInFrames": 150,
    "inputSchemaIsDraft": False,
    "allowedOptions": None,
    "reuse": False,
    "enabled": True,
    "updatedAt": "2026-01-31T12:00:00Z",
}
EXAMPLE_TEMPLATE: dict[str, Any] = {
    **EXAMPLE_IN_A_LIST,
    "inputSchema": {"type": "object", "properties": {"title": {"type": "string"}}},
    "defaultInputProps": {"title": "Sale"},
    "defaultOptions": {},
    "example": {"template": "promo", "inputProps": {"title": "Sale"}},
}
