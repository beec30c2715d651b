"""The site that is rendered unless a template names its own."""

from django.conf import settings

from renders.remotion.errors import SetupError

SITE_MISSING = (
    "The environment variable REMOTION_SERVE_URL is missing. Add it, or REMOTION_SITE_NAME, to your .env file:"
    " it is what `npx remotion lambda sites create` printed."
)


def configured_site() -> str:
    """Return the settings' site: a full URL, or a name in Remotion's bucket. Raise SetupError if there is none."""
    site: str = settings.REMOTION_SERVE_URL or settings.REMOTION_SITE_NAME
    if not site:
        raise SetupError(SITE_MISSING)
    return site
