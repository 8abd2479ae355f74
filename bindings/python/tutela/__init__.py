"""Tutela for Python: what lies in model files, and loading only what was scanned and signed.

    import tutela

    report = tutela.scan("model.pt")
    print(report.verdict, [finding.title for finding in report.findings])

    model = tutela.load("model.pt", key="ada.pem")      # refuses, or calls torch.load

The work is done by libtutela: files are parsed in confined processes, never in this one.
"""
from tutela._library import Error, version
from tutela.guard import Refused, load
from tutela.report import File, Finding, Report, scan, scan_descriptor
from tutela.signature import Signature, verify, verify_policy

__all__ = ["Error", "File", "Finding", "Refused", "Report", "Signature", "load", "scan",
           "scan_descriptor", "verify", "verify_policy", "version"]
