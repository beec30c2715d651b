"""The operations of ``/api/templates/``, as OpenAPI describes them."""

from renders.api.openapi.operation import LOCATION, Example, Operation, Success
from renders.api.templates.output import TemplateDetailSerializer, TemplateSerializer


def _one(description: str, **headers: str) -> Success:
    return Success(description=description, body=TemplateDetailSerializer, headers=headers)


OPERATIONS = {
    "list": Operation(
        id="list_templates",
        summary="List templates",
        description="The templates that are enabled, by name, in pages.",
        answers={
            200: Success(description="A page of templates.", body=TemplateSerializer),
        },
    ),
    "retrieve": Operation(
        id="get_template",
        summary="Read a template",
        description="A template with its JSON Schema, its defaults, and a body that starts a render of it (`example`).",
        answers={200: _one("The template.")},
    ),
    "create": Operation(
        id="create_template",
        summary="Create a template",
        description="For staff with the permission `renders.add_template`.",
        answers={201: _one("The template.", **LOCATION)},
        examples=(
            Example(
                name="promo",
                summary="A composition with a title",
                body={
                    "name": "promo",
                    "composition": "Promo",
                    "defaultInputProps": {"title": "Sale"},
                    "durationInFrames": 150,
                    "fps": 30,
                    "length": "fixed",
                },
            ),
        ),
        links={"get_template": "name", "update_template": "name"},
    ),
    "partial_update": Operation(
        id="update_template",
        summary="Change a template",
        description="Changes the fields that are sent. For staff with the permission `renders.change_template`.",
        answers={200: _one("The template.")},
        examples=(Example(name="disable", summary="Nothing is rendered with it any more", body={"enabled": False}),),
    ),
}
