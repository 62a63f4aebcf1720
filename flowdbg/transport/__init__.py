"""HTTP and event streams: one client, one bounded reader, one place that maps foreign errors.

Nothing here repeats a request or follows a redirect: a step may have sent a mail.
"""
