"""Models: which there are, how a picture and prompts go in, which mask comes out."""
