"""What is wrong with labelled texts, whether more would help, and which config suits them.

Fits linear models only. Knows nothing of networks or Click.
"""
