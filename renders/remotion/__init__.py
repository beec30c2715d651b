"""Remotion Lambda: start a render, read how it does, find what it made.

Nothing in here knows the ORM or an HTTP request. The version of Remotion is the one of the
package ``remotion-lambda``; requirements.txt says which that is.
"""
