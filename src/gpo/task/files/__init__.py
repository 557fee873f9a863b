"""Files of rows: csv, json, jsonl and parquet, and the cells in them as a person sees them."""
