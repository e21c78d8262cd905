"""How devices of each kind announce themselves, obey and acknowledge: translation without I/O."""
