"""The compiled kernels of gpu/, as PTX."""
