"""The work of a Django project under a server for ASGI: it answers the lifespan, which Django does not.

python -m uvicorn --port 0 django_asgi:application
python -m daphne -p 0 django_asgi:application
"""

from __future__ import annotations

from django.conf import settings
from django.core.asgi import get_asgi_application

from panicguard import mruntime
from panicguard.mruntime import servers

settings.configure(SECRET_KEY="a secret", ROOT_URLCONF=__name__)
urlpatterns: list[object] = []


def saver(ctx: mruntime.Context) -> None:
    print("working", flush=True)
    ctx.done().wait()
    print("saved", flush=True)


application = servers.asgi(get_asgi_application())
mruntime.SafeGoWithContextAndComponent(mruntime.root(), "saver", mruntime.KeepRunning, saver)
