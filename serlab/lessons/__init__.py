"""What one chapter alone needs beyond a few lines: ``chNN_name`` belongs to chapter NN.

A lesson imports whatever it likes from the package; nothing in the package imports a lesson. What draws does
so on ``ax``, by default that of a new figure, and returns it. Scores and shares are from 0 to 1.
"""
