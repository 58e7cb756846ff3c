"""What one chapter alone needs beyond a few lines: ``chNN_name`` belongs to chapter NN.

A lesson imports whatever it likes from the package; nothing in the package imports a lesson.
"""
