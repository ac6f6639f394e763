"""What several test folders share: real servers, samples, and waiting for the thing itself."""
