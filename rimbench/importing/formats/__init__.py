"""The formats that can be imported, one module each: a module dropped in here is found by its name.

It has `EXPECTS`, `recognises(glimpse)`, `source(path)` and `read(path, score)`: see
`rimbench.importing.reading.Format`.
"""
