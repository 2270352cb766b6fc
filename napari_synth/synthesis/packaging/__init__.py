"""Models as packages that other programs run: what is left open by a request is fixed, and the network is a program."""
