"""Parts of the package by themselves: drafts, imputation, raked draws."""
