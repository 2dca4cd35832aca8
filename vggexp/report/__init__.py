"""Reads run folders and makes tables and the HTML page.

May use callback/, logger/ and below, never trainer/; used by trainer/ and command/.
"""
