"""libtutela by ctypes: finding it, calling it, turning its errors into exceptions."""
import ctypes
import ctypes.util
import json
import os
import threading

INTERFACE = 0  # the number behind libtutela.so: changes when the C interface does
LINE = 512


class Error(Exception):
    """What libtutela could not do. `code` is its name: "IO", "DENIED", "UNSUPPORTED", ..."""

    def __init__(self, code, text, path=""):
        super().__init__(f"{path}: {text}" if path else text)
        self.code = code
        self.text = text
        self.path = path


class _Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("text", ctypes.c_char * LINE),
                ("path", ctypes.c_char * LINE)]


class _ScanOptions(ctypes.Structure):
    _fields_ = [("structure_only", ctypes.c_int), ("all_kinds", ctypes.c_int),
                ("require_sandbox", ctypes.c_int)]


class _Loaded(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p) for name in
                ("path", "file", "sha256", "public_key_file", "system", "signature")]


_TEXT = ctypes.POINTER(ctypes.c_char)
_PATHS = ctypes.POINTER(ctypes.c_char_p)
_FUNCTIONS = {
    "tutela_scan_paths": [_PATHS, ctypes.c_size_t, ctypes.POINTER(_ScanOptions)],
    "tutela_scan_descriptor": [ctypes.c_int, ctypes.c_char_p, ctypes.POINTER(_ScanOptions)],
    "tutela_verify": [ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_int)],
    "tutela_verify_policy": [ctypes.c_char_p, _PATHS, ctypes.c_size_t,
                             ctypes.POINTER(ctypes.c_int)],
    "tutela_verify_loaded": [ctypes.POINTER(_Loaded), ctypes.POINTER(ctypes.c_int)],
}
_lock = threading.Lock()  # the library is not to be called from two threads at once
_loaded = None


def _names():
    """Where the library may be: TUTELA_LIBRARY alone if it is set, else where the linker looks."""
    named = os.environ.get("TUTELA_LIBRARY")
    if named:
        if not os.path.isabs(named):
            raise Error("USAGE", "TUTELA_LIBRARY must be an absolute path", named)
        return [named]
    found = ctypes.util.find_library("tutela")
    return [f"libtutela.so.{INTERFACE}"] + ([found] if found else [])


def _open():
    problems = []
    for name in _names():
        try:
            return ctypes.CDLL(name)
        except OSError as problem:
            problems.append(str(problem))
    raise Error("IO", "libtutela cannot be loaded; run `make install` (and ldconfig), or set TUTELA_LIBRARY to the "
                f"path of libtutela.so.{INTERFACE} ({'; '.join(problems)})")


def _get():
    global _loaded
    if _loaded is None:
        library = _open()
        for name, arguments in _FUNCTIONS.items():
            function = getattr(library, name)
            function.argtypes = arguments + [ctypes.POINTER(_TEXT), ctypes.POINTER(_Error)]
            function.restype = ctypes.c_int
        library.tutela_free.argtypes = [ctypes.c_void_p]
        library.tutela_free.restype = None
        library.tutela_version.restype = ctypes.c_char_p
        library.tutela_code_name.argtypes = [ctypes.c_int]
        library.tutela_code_name.restype = ctypes.c_char_p
        _loaded = library
    return _loaded


def call(name, *arguments):
    """Calls a function that hands out a JSON document, and returns the document."""
    with _lock:
        library = _get()
        text, error = _TEXT(), _Error()
        code = getattr(library, name)(*arguments, ctypes.byref(text), ctypes.byref(error))
        if code != 0:
            raise Error(library.tutela_code_name(code).decode(), error.text.decode(errors="replace"),
                        os.fsdecode(error.path))
        try:
            return json.loads(ctypes.string_at(text))
        finally:
            library.tutela_free(text)


def path_bytes(path):
    """A path as C wants it. A NUL would cut it short: another file would be looked at."""
    raw = os.fsencode(path)
    if b"\0" in raw:
        raise ValueError("a path cannot hold a NUL byte")
    return raw


def path_array(paths):
    return (ctypes.c_char_p * len(paths))(*[path_bytes(path) for path in paths])


def scan_options(depth, all_kinds, require_sandbox):
    if depth not in ("content", "structure"):
        raise ValueError(f'depth is "content" or "structure", not {depth!r}')
    return ctypes.byref(_ScanOptions(depth == "structure", all_kinds, require_sandbox))


def loaded(**members):
    return ctypes.byref(_Loaded(**{key: None if value is None else path_bytes(value)
                                   for key, value in members.items()}))


def version():
    """The version of libtutela: "0.1.0"."""
    with _lock:
        return _get().tutela_version().decode()
