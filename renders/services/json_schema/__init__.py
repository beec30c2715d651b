"""JSON Schemas of input props: which may be saved, and what they say about a value, in sentences for people."""
