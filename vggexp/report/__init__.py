"""Run folders to tables and the page.

May use callback/, logger/ and below, never trainer/; used by trainer/ and command/.
"""
