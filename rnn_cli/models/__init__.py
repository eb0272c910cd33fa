"""The general model that comes with the package, and how it is made of a run."""
