"""A Django application; `django_gunicorn_conf.py` serves it."""

# mypy: disable-error-code="import-untyped"
# (Django has no types.)

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path

from wellkept.tls import peer


def who(request: HttpRequest) -> HttpResponse:
    """Answer who asks."""
    return HttpResponse(str(peer(request)))


urlpatterns = [path("who", who)]

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["localhost"])
django.setup(set_prefix=False)
application = WSGIHandler()
