"""From texts without labels to labelled ones: which text to ask next, and what the answers tell. It prints nothing."""
