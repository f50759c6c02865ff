"""What can be run; nothing here knows of HTTP."""
