"""Loading only what was scanned and signed.

The file is copied into memory that nobody can change any more (a sealed memfd), that copy is
scanned, its digest is compared with what was signed, and the very same copy is given to the loader:
whoever exchanges the file meanwhile gains nothing.
"""
import fcntl
import importlib
import io
import os

from tutela.report import VERDICTS, scan_descriptor
from tutela.signature import verify_loaded

BLOCK = 16 << 20
SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL

PACKED = ("gzip", "zlib", "bz2", "xz", "lzma", "lz4")
# Each loader with the formats that it may be given. A loader that is given another format reads the
# bytes in a way in which they were not scanned.
LOADERS = {
    "torch": ("torch", "load", ("torch-zip", "torch-legacy", "torch-tar")),
    "joblib": ("joblib", "load", ("joblib", "pickle") + PACKED),
    "pickle": ("pickle", "load", ("pickle",)),
    "numpy": ("numpy", "load", ("npy", "npz")),
}
# Who opens a format when nobody says.
BY_FORMAT = {"torch-zip": "torch", "torch-legacy": "torch", "torch-tar": "torch", "joblib": "joblib",
             "pickle": "pickle", "npy": "numpy", "npz": "numpy",
             **{packed: "joblib" for packed in PACKED}}


class Refused(Exception):
    """Not loaded, and nothing of the file has run. `reasons` says why; `report` is the scan."""

    def __init__(self, path, reasons, report=None):
        super().__init__(f"{os.fspath(path)} was not loaded: {'; '.join(reasons)}")
        self.reasons = reasons
        self.report = report


def load(path, *, key=None, system=None, unsigned=False, signed=None, signature=None, loader=None,
         fail_on="dangerous", incomplete=False, snapshot=True, require_sandbox=False, **arguments):
    """Loads a model file after its signature and its content were checked, or raises Refused.

    Who must have signed it, one of:
      key       a public key in PEM
      system    a directory with tutela.yaml: the people of its log, by its policy
      (neither) the described system above the file, when there is one
      unsigned  True: nobody; only the scan decides
    signed      the directory that was signed as a whole, when the file lies in one
    signature   the signature file, when it is not at its usual place
    loader      "torch", "joblib", "pickle", "numpy", or a function that takes an open file; chosen by
                format when left out
    fail_on     the verdict from which on a file is refused: "review", "dangerous" or "malicious"
    incomplete  True: also load what could not be read to its end
    snapshot    False: do not copy the file into memory first. Then whoever can write to the file can
                exchange it between the check and the loading
    arguments   are the loader's: tutela.load(path, key=..., map_location="cpu")
    """
    if fail_on not in VERDICTS[1:]:
        raise ValueError(f"fail_on is one of {', '.join(VERDICTS[1:])}, not {fail_on!r}")
    system = _who(path, key, system, unsigned)
    with _open(path, snapshot) as file:
        report = scan_descriptor(file, os.path.basename(os.fspath(path)),
                                 require_sandbox=require_sandbox)
        _check_content(path, report, fail_on, incomplete)
        if not unsigned:
            _check_signature(path, report, key, system, signed, signature)
        call = loader if callable(loader) else _loader(path, loader, report.files[0])
        file.seek(0)
        return call(file, **arguments)


def _who(path, key, system, unsigned):
    given = sum(1 for one in (key, system) if one is not None) + bool(unsigned)
    if given > 1:
        raise TypeError("load() takes only one of key, system and unsigned")
    if given == 1:
        return system
    found = _system_above(os.path.dirname(os.path.abspath(os.fspath(path))))
    if found is None:
        raise Refused(path, ["nobody was named who should have signed it: pass key=, system=, or "
                             "unsigned=True"])
    return found


def _system_above(directory):
    while True:
        if os.path.isfile(os.path.join(directory, "tutela.yaml")):
            return directory
        above = os.path.dirname(directory)
        if above == directory:
            return None
        directory = above


def _open(path, snapshot):
    file = open(path, "rb")
    if not snapshot:
        return file
    with file:
        copy = os.memfd_create("tutela", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
        try:
            while os.sendfile(copy, file.fileno(), None, BLOCK) > 0:
                pass
            fcntl.fcntl(copy, fcntl.F_ADD_SEALS, SEALS)
            os.lseek(copy, 0, os.SEEK_SET)
            return io.BufferedReader(io.FileIO(copy, "rb"))
        except BaseException:
            os.close(copy)
            raise


def _check_content(path, report, fail_on, incomplete):
    file = report.files[0] if report.files else None
    if file is None:
        raise Refused(path, ["nothing in it was recognised"], report)
    reasons = []
    if VERDICTS.index(file.verdict) >= VERDICTS.index(fail_on):
        worst = report.findings[0]
        reasons.append(f"{file.verdict}: {worst.title} ({worst.rule}: {worst.message})")
    elif not file.is_complete and not incomplete:
        why = file.document.get("problem") or file.status
        reasons.append(f"it could not be checked to its end: {why}")
    if reasons:
        raise Refused(path, reasons, report)


def _check_signature(path, report, key, system, signed, signature):
    where = signed if signed is not None else path
    file = None if signed is None else os.path.relpath(os.path.realpath(path),
                                                       os.path.realpath(signed))
    answer = verify_loaded(where, report.files[0].sha256, key=key, system=system, file=file,
                           signature=signature)
    if not answer.is_valid:
        raise Refused(path, answer.reasons or ["not signed by whom it should be"], report)


def _loader(path, name, scanned):
    name = name or BY_FORMAT.get(scanned.format)
    if name not in LOADERS:
        raise ValueError(f"no loader for {scanned.format or 'this file'}: pass loader=, one of "
                         f"{', '.join(LOADERS)}, or a function that takes an open file")
    module, function, formats = LOADERS[name]
    if scanned.format not in formats:
        raise Refused(path, [f"it was scanned as {scanned.format}, which {module}.{function} would "
                             "read in another way"])
    return getattr(importlib.import_module(module), function)
