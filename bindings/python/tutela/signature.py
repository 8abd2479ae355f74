"""Whether something is as it was signed, and by whom: tutela.verify/1 as an object."""
import ctypes
from dataclasses import dataclass, field
from typing import Any, Dict, List

from tutela import _library


@dataclass(frozen=True)
class Signature:
    """`is_valid` answers it; `reasons` are sentences that say why not."""
    is_valid: bool
    reasons: List[str]
    document: Dict[str, Any] = field(repr=False, compare=False)


def _ask(name, *arguments):
    is_valid = ctypes.c_int(0)
    document = _library.call(name, *arguments, ctypes.byref(is_valid))
    reasons = []
    for target in document["targets"]:
        said = target["reasons"] or ([] if target["verdict"] == "valid" else [target["verdict"]])
        reasons += [f'{target["path"]}: {reason}' for reason in said]
    return Signature(is_valid=is_valid.value == 1, reasons=reasons, document=document)


def verify(path, key):
    """A file or directory against its signature at the usual place; key: a public key in PEM."""
    return _ask("tutela_verify", _library.path_bytes(path), _library.path_bytes(key))


def verify_policy(system, *paths):
    """These paths, or all assets that must be signed, of the system described in system/tutela.yaml."""
    return _ask("tutela_verify_policy", _library.path_bytes(system), _library.path_array(paths),
                len(paths))


def verify_loaded(path, sha256, *, key=None, system=None, file=None, signature=None):
    """Whether the bytes with this SHA-256, read from path (or from `file` in the directory path), are
    what was signed. Error "IO" when the file has other bytes by now."""
    return _ask("tutela_verify_loaded",
                _library.loaded(path=path, file=file, sha256=sha256, public_key_file=key,
                                system=system, signature=signature))
