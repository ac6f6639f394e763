"""`tuneroom doctor`: what the product needs, whether it is right, and how to mend it; a module a kind of thing."""
