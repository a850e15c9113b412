"""Tables in and out: delimited text, Parquet, Arrow and pandas, typed by a schema."""
