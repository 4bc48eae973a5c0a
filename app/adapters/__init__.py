"""How the world answers: a folder per port, a file per technology."""
