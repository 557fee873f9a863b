"""What metrics are made of: one file a metric, or a family of them."""
