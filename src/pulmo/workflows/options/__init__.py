"""The options of the workflows, each declared once, for Python and for the command.

A field has a type, a default and a sentence in its class's docstring. The command makes a flag of
it, and the help of the flag is that sentence. The help must be quick, so nothing here imports a
workflow, pandas, numpy or torch.
"""
