"""The use cases, one verb or noun a file. Transactions begin and end here.

No transaction is open and no row is locked while AWS is called.
"""
