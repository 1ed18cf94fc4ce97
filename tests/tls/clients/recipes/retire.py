"""Let no pooled connection outlive its certificate: when another bundle is served, the idle ones are closed."""

import requests

from wellkept.events import BUS, Event, Topic
from wellkept.integrations.requests import TLSAdapter
from wellkept.tls import ClientTLS


def session(tls: ClientTLS) -> requests.Session:
    adapter = TLSAdapter(tls)

    def retire(event: Event) -> None:
        if event.topic is Topic.BUNDLE_SWAPPED:
            adapter.close()  # the idle ones; it goes on with new ones

    BUS.subscribe(retire)
    made = requests.Session()
    made.mount("https://", adapter)
    return made
