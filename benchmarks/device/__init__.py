"""Every performance figure on a GPU: ``python -m benchmarks --device cuda``.

Each part runs in a process of its own, so that one that fails or takes too long costs no other.
"""
