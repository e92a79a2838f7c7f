"""The Python runtime of Kappa: what stands between the agent's Runtime API and a user's handler.

Standard library only, Python 3.9 to 3.14. A package of its own, so that no module of it can be taken for one of the user's.
Every import here is paid for by each waiting pod: measure before adding one (docs/adr/0003-runtime-clients.md).
"""
