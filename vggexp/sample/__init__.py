"""How samples are read, augmented, stored and batched.

May use distributed/ and the nouns; used by data/, cache/ and deploy/.
"""
