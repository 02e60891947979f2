def require(model): pass
