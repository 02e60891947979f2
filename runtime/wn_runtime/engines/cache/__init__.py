"""Compiled code, kept between runs where only this user can write."""
