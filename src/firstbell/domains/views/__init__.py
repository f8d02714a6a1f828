"""Owns nothing: the pages that gather what other domains hold, such as today."""
