"""The description of the API as OpenAPI 3.1: made from what the views declare, and served with two browsers for it."""
