"""Weights of published programs, made files of this one."""
