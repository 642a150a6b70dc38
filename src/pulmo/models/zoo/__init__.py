"""Networks that timm does not have; one file each, registered in `BACKBONES`."""
