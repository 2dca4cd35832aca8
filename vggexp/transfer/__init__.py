"""Knowledge that moves: a backbone or a head that starts from another run's weights.

A part is filled whole or not at all, unless its ``weights_map`` says otherwise.
"""
