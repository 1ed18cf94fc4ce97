"""The one guarded HTTP client: no redirects, one deadline for everything, bounded answers, verified TLS.

The rules of this package:

- A request ends within its deadline, whatever the other side does: name look-up, connecting,
  TLS, retries and the whole body stand under one clock.
- What comes back is a `Response` or a `Failure`, never a foreign error: those hold headers and
  bodies. Nobody below the client raises outside this package.
- A credential goes to the address that was given, and to no other.
"""
