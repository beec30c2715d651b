"""Templates: what a request may ask for by name. Make them, keep them true to their site, check what is asked."""

from renders.services.templates.input_props import validate_input_props
from renders.services.templates.lookup import resolve
from renders.services.templates.options import merge_options

__all__ = ["merge_options", "resolve", "validate_input_props"]
