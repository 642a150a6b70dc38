"""Public folders become a manifest; a manifest becomes a split and a cache of decoded images."""
