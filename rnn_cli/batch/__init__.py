"""Files of rows in, the same rows with their predictions out: exactly once, whatever happens, at any size.

Rows are read in windows of some thousand, and windows are written in chunks: a chunk is what is kept of a job that is
stopped, a file of a folder of predictions, and what a cluster's worker is given at once. Where windows and chunks begin
depends on the input alone, so predictions do not depend on who computed them, nor on how often he was interrupted.
"""
