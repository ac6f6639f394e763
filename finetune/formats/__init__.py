"""The training formats: how a row of each is recognised, read, judged and written for a provider."""
