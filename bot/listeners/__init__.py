"""What Slack may send, a module each: parse it, ask whether this person may, record it, then let it be acknowledged."""
