"""TLS that always verifies: bundles, the contexts that follow them, and what to say when one is refused.

The rules of this package:

- It knows nothing of settings, providers or HTTP: files, text and callables come in, contexts go out.
- No option turns verification off. A context that is handed out cannot be made to trust more.
- A bundle is checked whole before it is used; one that fails changes nothing, and an event says why.
- A private key that did not come from a disk never goes to one.
"""
