"""NVIDIA's driver, by ctypes."""

from __future__ import annotations

import ctypes
import gzip
import os
import threading
from functools import cache
from importlib import resources

from nola_adapters.errors import NolaError

LIBRARY_VARIABLE = "NOLA_CUDA_LIBRARY"
_OLDEST_CUDA = 11_000
_OLDEST_CAPABILITY = 75


class CudaError(NolaError):
    """A driver or GPU that cannot be used, or failed."""


class Driver:
    """The functions of the driver that are needed here; the context is the one of PyTorch."""

    def __init__(self, ordinal: int) -> None:
        """Load driver and kernels for a GPU.

        `$NOLA_CUDA_LIBRARY` names the driver's library if the system does not find it. Raises
        CudaError if it is absent or too old.
        """
        name = os.environ.get(LIBRARY_VARIABLE) or "libcuda.so.1"
        try:
            self._library = ctypes.CDLL(name)
        except OSError as error:
            raise CudaError(
                f"NVIDIA driver not found: {error}; install it, set {LIBRARY_VARIABLE} to its "
                "library, or use the CPU"
            ) from error
        self._functions: dict[str, ctypes.c_void_p] = {}
        self._guard = threading.Lock()
        self._call("cuInit", ctypes.c_uint(0))
        version = ctypes.c_int()
        self._call("cuDriverGetVersion", ctypes.byref(version))
        if version.value < _OLDEST_CUDA:
            raise CudaError(
                f"NVIDIA driver too old: CUDA {version.value // 1000}; must be 11 or later"
            )
        device = ctypes.c_int()
        self._call("cuDeviceGet", ctypes.byref(device), ctypes.c_int(ordinal))
        capability = 10 * self._attribute(device, 75) + self._attribute(device, 76)
        if capability < _OLDEST_CAPABILITY:
            raise CudaError(
                f"GPU too old: compute capability {capability / 10}; must be 7.5 or later"
            )
        self._context = ctypes.c_void_p()
        self._module = ctypes.c_void_p()
        image = resources.files("nola_adapters.kernels").joinpath("nola.ptx.gz").read_bytes()
        ptx = gzip.decompress(image) + b"\0"
        self._call("cuDevicePrimaryCtxRetain", ctypes.byref(self._context), device)
        try:
            self._call("cuCtxSetCurrent", self._context)
            self._call("cuModuleLoadData", ctypes.byref(self._module), ptx)
        except CudaError:
            self._library.cuDevicePrimaryCtxRelease_v2(device)  # the first error says more
            raise

    def _attribute(self, device: ctypes.c_int, number: int) -> int:
        value = ctypes.c_int()
        self._call("cuDeviceGetAttribute", ctypes.byref(value), ctypes.c_int(number), device)
        return value.value

    def _call(self, name: str, *arguments: object) -> None:
        code: int = getattr(self._library, name)(*arguments)
        if code:
            text = ctypes.c_char_p()
            known = self._library.cuGetErrorString(ctypes.c_int(code), ctypes.byref(text)) == 0
            reason = text.value.decode() if known and text.value else "unknown error"
            raise CudaError(f"GPU cannot be used: {reason} (error {code} of {name}); use the CPU")

    def launch(
        self, kernel: str, grid: tuple[int, int], threads: int, arguments: bytes, stream: int
    ) -> None:
        """Launch a kernel whose only argument is a structure, and return at once."""
        with self._guard:
            self._call("cuCtxSetCurrent", self._context)
            function = self._functions.get(kernel)
            if function is None:
                function = ctypes.c_void_p()
                self._call(
                    "cuModuleGetFunction", ctypes.byref(function), self._module, kernel.encode()
                )
                self._functions[kernel] = function
            structure = ctypes.create_string_buffer(arguments, len(arguments))
            parameters = (ctypes.c_void_p * 1)(ctypes.addressof(structure))
            numbers = [ctypes.c_uint(n) for n in (*grid, 1, threads, 1, 1, 0)]
            pointers = (ctypes.c_void_p(stream), parameters, None)
            self._call("cuLaunchKernel", function, *numbers, *pointers)


@cache
def driver(ordinal: int) -> Driver:
    """Return the driver of a GPU, loaded once a process. Raises CudaError."""
    return Driver(ordinal)
