"""Programs: functions of several prompts and a row, which may call the model any number of times."""
