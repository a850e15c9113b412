"""Codecs: reversible codings of one column, each fitted from a histogram."""
