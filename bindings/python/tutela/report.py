"""What a scan found: tutela.scan/1 as objects. `document` keeps the JSON with all its keys."""
import os
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional

from tutela import _library

VERDICTS = ("clean", "review", "dangerous", "malicious")  # from good to bad
SEVERITIES = ("info", "low", "medium", "high", "critical")


@dataclass(frozen=True)
class Finding:
    """Something wrong: which rule (`tutela explain RULE`), how grave, what was seen, and where."""
    rule: str
    severity: str
    confidence: str
    title: str
    message: str
    location: str
    offset: Optional[int]
    fix: str
    document: Dict[str, Any] = field(repr=False, compare=False)


@dataclass(frozen=True)
class File:
    """One file: its format, whether it was read to its end, its verdict and findings."""
    path: str
    format: Optional[str]
    size: int
    sha256: Optional[str]
    status: str
    verdict: str
    findings: List[Finding]
    document: Dict[str, Any] = field(repr=False, compare=False)

    @property
    def is_complete(self):
        """Whether all of it was read: only then does "clean" mean anything."""
        return self.status == "complete"


@dataclass(frozen=True)
class Report:
    """All files of one scan."""
    files: List[File]
    document: Dict[str, Any] = field(repr=False, compare=False)

    @property
    def verdict(self):
        """The worst verdict of all files; "review" when nothing was recognised, so nothing checked."""
        if not self.files:
            return "review"
        return max((file.verdict for file in self.files), key=VERDICTS.index)

    @property
    def is_complete(self):
        """Whether there was something to read, and all of it was read to its end."""
        return bool(self.files) and all(file.is_complete for file in self.files)

    @property
    def is_clean(self):
        return self.is_complete and self.verdict == "clean"

    @property
    def findings(self):
        """Of all files, gravest first."""
        found = [finding for file in self.files for finding in file.findings]
        return sorted(found, key=lambda finding: -SEVERITIES.index(finding.severity))


def _finding(document):
    keys = ("rule", "severity", "confidence", "title", "message", "location", "offset", "fix")
    return Finding(**{key: document.get(key) for key in keys}, document=document)


def _file(document):
    digest = document.get("digest")
    return File(path=document["path"], format=document.get("format"), size=document["size"],
                sha256=digest["sha256"] if digest else None, status=document["status"],
                verdict=document["verdict"],
                findings=[_finding(finding) for finding in document["findings"]], document=document)


def _report(document):
    return Report(files=[_file(file) for file in document["files"]], document=document)


def scan(*paths, depth="content", all_kinds=False, require_sandbox=False):
    """Reads files and directories as model loaders would, without loading anything.

    depth "structure" reads only what loaders interpret: faster, and without digests.
    require_sandbox fails where the kernel cannot confine the parsing processes completely.
    Raises Error when it cannot answer; a file that cannot be read is in the report.
    """
    if not paths:
        raise TypeError("scan() wants at least one path")
    document = _library.call("tutela_scan_paths", _library.path_array(paths), len(paths),
                             _library.scan_options(depth, all_kinds, require_sandbox))
    return _report(document)


def scan_descriptor(descriptor, name="descriptor", *, depth="content", require_sandbox=False):
    """The same for one open regular file (a number, or anything with fileno()); its position stays."""
    number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
    document = _library.call("tutela_scan_descriptor", number, _library.path_bytes(os.fspath(name)),
                             _library.scan_options(depth, False, require_sandbox))
    return _report(document)
