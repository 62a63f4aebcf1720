"""Wire protocols, one folder each: the client side (target) and the server side (routes)."""
