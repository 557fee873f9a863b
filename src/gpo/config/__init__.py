"""What a run is asked to do: the schema and its reader."""
