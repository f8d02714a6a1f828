"""Owns folders, documents and blobs: what somebody opens, and its bytes."""
