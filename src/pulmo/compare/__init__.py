"""Models side by side: what a comparison reads, and paired tests on the same images."""
