"""One training, start to end; config becomes objects here and stops here.

May use every room below; used by command/ and deploy/.
"""
