"""The tables that figures are measured on: public ones, tables made of them, and made-up ones."""
