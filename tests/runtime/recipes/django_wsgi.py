"""The work of a Django project under gunicorn, whose hook is in `gunicorn.conf.py`.

python -m gunicorn --bind 127.0.0.1:0 django_wsgi:application
"""

from __future__ import annotations

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from panicguard import mruntime

settings.configure(SECRET_KEY="a secret", ROOT_URLCONF=__name__)
urlpatterns: list[object] = []


def saver(ctx: mruntime.Context) -> None:
    print("working", flush=True)
    ctx.done().wait()
    print("saved", flush=True)


application = get_wsgi_application()
mruntime.SafeGoWithContextAndComponent(mruntime.root(), "saver", mruntime.KeepRunning, saver)
