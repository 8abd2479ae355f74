"""What scanning takes, in time and memory (the command and its workers together), beside a floor or a peer in the
same run. The figures of the peers in the last lines were measured earlier on a machine of this kind."""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import files  # noqa: E402
from timing import FAILED, python, report  # noqa: E402

TUTELA = os.path.abspath(sys.argv[1])
WALK = ("import pickletools,sys,os\nfor root,_,names in os.walk(sys.argv[1]):\n for f in names:\n"
        "  n=sum(1 for _ in pickletools.genops(open(os.path.join(root,f),'rb')))")
WALK_ONE = "import pickletools,sys\nn=sum(1 for _ in pickletools.genops(open(sys.argv[1],'rb')))"
LIST = ("import zipfile,sys\nz=zipfile.ZipFile(sys.argv[1])\n"
        "z.read([n for n in z.namelist() if n.endswith('data.pkl')][0])")
# What the best peer took for the same kind of file, seconds and MB of memory.
PEERS = """
Peers, measured earlier on a machine of this kind (picklescan 1.0.5, modelscan 0.8, fickling 0.1, modelaudit 0.2.27):
  1 GiB torch zip        picklescan 0.12 s, 21 MB     modelscan 0.37 s, 53 MB    modelaudit killed at 130 s
  1 GiB numpy pickle     modelscan 1.8 s, 1,072 MB    picklescan 3.4 s, 1,045 MB fickling 38.6 s, 3,280 MB
  1 GiB safetensors      modelaudit 9.3 s, 41 MB      the others do not read the format
  1 GiB GGUF             modelaudit 9.8 s, 74 MB      the others do not read the format
  2,000 small pickles    picklescan 1.49 s            modelscan 1.86 s           fickling 12.9 s
  4.2 million opcodes    modelscan 33 s, 448 MB       picklescan 46.6 s          fickling, modelaudit above 90 s
  12 MB padding          fickling 0.9 s               picklescan, modelscan < 1 s   modelaudit above 90 s
  memo bomb              picklescan, modelscan, modelaudit instant and silent    fickling above 90 s, 691 MB"""


def scan(*arguments):
    """All is read anew: what was found before is no figure."""
    return [TUTELA, "scan", "--no-cache", *arguments]


def large(where):
    path = os.path.join(where, "big")
    files.torch_zip(path + ".pt")
    report("1 GiB torch zip, --depth structure", scan("--depth", "structure", path + ".pt"), "python zipfile",
           python(LIST, path + ".pt"), 0.02, 16)
    report("1 GiB torch zip, content", scan(path + ".pt"), "openssl sha256",
           ["openssl", "dgst", "-sha256", path + ".pt"], 2.5, 64)
    os.remove(path + ".pt")
    files.numpy_pickle(path + ".pkl")
    report("1 GiB numpy pickle, --depth structure", scan("--depth", "structure", path + ".pkl"), "pickletools",
           python(WALK_ONE, path + ".pkl"), 0.2, 24)
    os.remove(path + ".pkl")
    for name, make in ((".safetensors", files.safetensors), (".gguf", files.gguf)):
        make(path + name)
        report(f"1 GiB {name[1:]}, content", scan(path + name), "openssl sha256",
               ["openssl", "dgst", "-sha256", path + name], 1.5, 64)
        report(f"1 GiB {name[1:]}, --depth structure", scan("--depth", "structure", path + name), "cat",
               ["sh", "-c", 'cat "$0" >/dev/null', path + name], 0.1, 64)
        os.remove(path + name)


def engine(paths):
    """The text engine alone, one thread, beside a copy of the same memory."""
    program = os.path.join(os.path.dirname(TUTELA), "..", "..", "bench", "bench_text")
    if not os.path.exists(program):
        print(f"{program} is not there: its figures are left out")
        return
    out = subprocess.run([program, "-c", "0x3f", *paths], capture_output=True, text=True, check=True).stdout.split()
    size, took, copied = int(out[1]), float(out[3]), float(out[5])
    print(f"{'text engine, secrets and people, one thread':44} {size / took / 1e6:5.0f} MB/s {'':9} {'500 MB/s':16} "
          f"copying {size / copied / 1e6:,.0f} MB/s; detect-secrets 0.06 MB/s, gitleaks' rules in Hyperscan 200 MB/s")
    if size / took < 500e6:
        FAILED.append("text engine")


def main():
    where = tempfile.mkdtemp()
    try:
        print(f"{'what':44} {'time':>9} {'memory':>9}  {'target':16}         beside")
        files.hostile(where)
        small = os.path.join(where, "small")
        files.small(small)
        report("2,000 small pickles", scan(small), "pickletools", python(WALK, small), 0.15)
        report("4.2 million opcodes, then a call", scan(f"{where}/opcodes.pkl"), "pickletools",
               python(WALK_ONE, f"{where}/opcodes.pkl"), 0.3, 32, "malicious")
        report("12 MB of padding, then a call", scan(f"{where}/padding.pkl"), "sha256sum",
               ["sha256sum", f"{where}/padding.pkl"], 1, 32, "malicious")
        for name in ("memo-bomb.pkl", "claims.pkl", "counts.npy"):
            report(name, scan(f"{where}/{name}"), None, None, 0.05, None, "dangerous")
        folder = os.path.join(where, "text")
        os.mkdir(folder)
        paths, size = files.text(folder)
        report(f"{size >> 20} MB of text, content", scan("--no-cache", "--all", folder), "grep -aE, two keys",
               ["grep", "-raE", "-c", "AKIA[A-Z2-7]{16}|ghp_[0-9A-Za-z]{36}", folder], round(size / 500e6, 2), wanted=None)
        engine(paths)
        large(where)
    finally:
        shutil.rmtree(where)
    print(PEERS)
    if FAILED:
        print("Missed: " + ", ".join(FAILED))
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
