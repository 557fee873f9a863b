"""GPO: an LLM-based prompt optimizer, built part by part after gradient-based model optimizers."""
