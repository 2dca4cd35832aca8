"""Runs on disk to tables for people."""
