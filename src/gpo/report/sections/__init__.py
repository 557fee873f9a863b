"""The parts of a run's page: what each says, as values for its template."""
