"""The Python front end: screen, tree, names, spawns."""
