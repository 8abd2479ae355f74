#!/usr/bin/python3
"""One tiny pickle for each callable that could do harm, called in every way a pickle can call it.

    gadgets.py OUTDIR

writes the files and OUTDIR/manifest.tsv, as pickle_tricks.py does: path, label, trick, loader,
expected rules (comma; here none: the verdict counts), least verdict. The files only name things;
arguments are inert.

Each callable is called through GLOBAL and REDUCE, STACK_GLOBAL and REDUCE, INST, OBJ, where it is a
class NEWOBJ, by an attribute walk from another module, and under its Python 2 name if it has one.
"""
import os
import struct
import sys

# module: names. A name with an upper-case first letter in its last part is a class.
GADGETS = {
    # shells and programs
    "os": "system popen execl execle execlp execv execve execvp execvpe spawnl spawnv spawnve "
          "spawnlp spawnvp posix_spawn posix_spawnp fork forkpty startfile kill abort remove unlink "
          "rmdir removedirs rename replace mkdir makedirs chmod chown symlink link truncate open "
          "fdopen write read putenv unsetenv listdir walk scandir _exit setuid dup2 environ "
          "chdir chroot mkfifo mknod sendfile register_at_fork add_dll_directory _execvpe",
    "posix": "system execv execve spawnv posix_spawn fork kill remove open putenv _exit",
    "nt": "system startfile spawnv execv remove",
    "subprocess": "Popen run call check_call check_output getoutput getstatusoutput list2cmdline",
    "_posixsubprocess": "fork_exec",
    "pty": "spawn fork",
    "_aix_support": "_read_cmd_output",
    "_osx_support": "_read_output _find_build_tool",
    "platform": "popen _syscmd_file _syscmd_ver",
    "uuid": "_get_command_stdout _popen",
    "webbrowser": "open open_new get register GenericBrowser",
    "antigravity": "geohash",
    "mailcap": "findmatch subst test",
    "imaplib": "IMAP4_stream IMAP4",
    "pipes": "Template.open Template.copy",
    "commands": "getoutput getstatusoutput",
    "popen2": "popen2 popen3 Popen3",
    "asyncio": "create_subprocess_shell create_subprocess_exec run",
    "asyncio.unix_events": "_UnixSubprocessTransport._start _UnixSelectorEventLoop",
    "asyncio.base_subprocess": "BaseSubprocessTransport",
    "multiprocessing": "Process Pool",
    "multiprocessing.util": "spawnv_passfds _cleanup_tests Finalize",
    "multiprocessing.managers": "BaseManager",
    "multiprocessing.popen_fork": "Popen",
    "multiprocessing.connection": "Client Listener answer_challenge",
    "multiprocessing.forking": "Popen",
    "concurrent.futures": "ThreadPoolExecutor ProcessPoolExecutor",
    "distutils.spawn": "spawn find_executable",
    "distutils.file_util": "write_file copy_file move_file",
    "distutils.core": "run_setup setup",
    "distutils.ccompiler": "CCompiler.spawn",
    "distutils.dir_util": "remove_tree",
    "setuptools": "setup",
    "pip": "main",
    "pip._internal": "main",
    "pip._internal.cli.main": "main",
    "ensurepip": "bootstrap _run_pip",
    "venv": "create EnvBuilder main",
    "idlelib.pyshell": "ModifiedInterpreter.runcode ModifiedInterpreter.runcommand main",
    "idlelib.run": "Executive.runcode",
    "idlelib.autocomplete": "AutoComplete.get_entity AutoComplete.fetch_completions",
    "idlelib.calltip": "Calltip.fetch_tip get_entity",
    "idlelib.debugobj": "ObjectTreeItem.SetText",
    "idlelib.browser": "ModuleBrowser",
    "lib2to3.pgen2.grammar": "Grammar.loads Grammar.load",
    "lib2to3.pgen2.pgen": "ParserGenerator.make_label",
    "lib2to3.main": "main",
    "numpy.distutils.exec_command": "exec_command",
    "numpy.f2py.crackfortran": "getlincoef myeval _eval_length param_eval",
    "numpy.f2py": "compile run_main",
    "numpy.f2py.diagnose": "run_command",
    "sympy.utilities.autowrap": "autowrap",
    # code
    "builtins": "eval exec compile __import__ open getattr setattr delattr globals locals vars "
                "breakpoint input help exit quit map filter __build_class__",
    "__builtin__": "eval execfile compile __import__ apply file reload input raw_input reduce",
    "runpy": "run_module run_path _run_code _run_module_code _run_module_as_main",
    "code": "interact InteractiveInterpreter.runcode InteractiveConsole InteractiveInterpreter.runsource",
    "codeop": "compile_command",
    "bdb": "Bdb Bdb.run Bdb.runeval Bdb.runctx",
    "pdb": "run runeval runcall set_trace Pdb main",
    "cmd": "Cmd",
    "timeit": "timeit repeat Timer main",
    "profile": "run runctx Profile.run Profile.runctx",
    "cProfile": "run runctx Profile.run Profile.runctx",
    "trace": "Trace.run Trace.runctx Trace.runfunc main",
    "doctest": "debug_script debug testfile testmod run_docstring_examples",
    "unittest.main": "TestProgram",
    "unittest.mock": "patch _importer",
    "pydoc": "pipepager tempfilepager locate safeimport importfile browse help",
    "rlcompleter": "Completer",
    "py_compile": "compile main",
    "compileall": "compile_dir compile_file",
    "modulefinder": "ModuleFinder.run_script test",
    "symtable": "symtable",
    "dis": "dis",
    "types": "CodeType FunctionType LambdaType ModuleType MethodType new_class",
    "typing": "get_type_hints _eval_type ForwardRef._evaluate",
    "dataclasses": "make_dataclass _create_fn",
    "collections": "namedtuple",
    "marshal": "loads load",
    "pickle": "loads load Unpickler _loads _Unpickler",
    "_pickle": "loads load Unpickler",
    "cPickle": "loads load",
    "pickletools": "dis optimize",
    "shelve": "open DbfilenameShelf",
    "copyreg": "add_extension pickle constructor",
    "imp": "load_source load_module load_dynamic load_compiled find_module",
    "importlib": "import_module reload __import__",
    "importlib._bootstrap": "_gcd_import _load",
    "importlib.util": "spec_from_file_location module_from_spec",
    "importlib.machinery": "SourceFileLoader ExtensionFileLoader SourcelessFileLoader",
    "importlib._bootstrap_external": "SourceFileLoader.load_module",
    "pkgutil": "resolve_name get_loader find_loader get_data walk_packages",
    "zipimport": "zipimporter",
    "site": "addsitedir execsitecustomize main",
    "sysconfig": "_init_posix _generate_posix_vars",
    "xml.sax": "make_parser _create_parser",
    "encodings": "search_function",
    "logging.config": "fileConfig dictConfig listen valid_ident _resolve",
    "ast": "literal_eval parse",
    "test.support.script_helper": "assert_python_ok run_python_until_end spawn_python",
    "test.support": "run_unittest",
    "nturl2path": "url2pathname",
    "turtledemo.__main__": "main",
    "this": "s",
    "inspect": "getattr_static getsource getsourcefile",
    "jinja2": "Template Environment.from_string",
    "mako.template": "Template",
    "IPython": "embed start_ipython get_ipython",
    "IPython.core.interactiveshell": "InteractiveShell.run_cell",
    "yaml": "load unsafe_load full_load load_all",
    "numexpr": "evaluate",
    "sympy": "sympify lambdify",
    "django.utils.module_loading": "import_string",
    "werkzeug.utils": "import_string",
    "celery.utils.imports": "import_from_cwd",
    "nose.core": "run",
    "pytest": "main",
    "_pytest.config": "main",
    "_testcapi": "run_in_subinterp",
    "_xxsubinterpreters": "run_string create",
    "hydra.utils": "instantiate call get_method",
    # native code
    "ctypes": "CDLL WinDLL PyDLL cdll string_at CFUNCTYPE memmove pythonapi.PyRun_SimpleString",
    "ctypes.util": "find_library _findLib_gcc",
    "_ctypes": "dlopen CFuncPtr",
    "cffi": "FFI",
    "cffi.verifier": "Verifier",
    "_cffi_backend": "load_library",
    "llvmlite.binding": "load_library_permanently",
    "mmap": "mmap",
    # indirection
    "functools": "reduce partialmethod singledispatch cached_property lru_cache",
    "_functools": "reduce",
    "operator": "attrgetter methodcaller call setitem delitem itemgetter",
    "_operator": "attrgetter methodcaller",
    "itertools": "starmap accumulate takewhile filterfalse groupby dropwhile",
    "contextlib": "ExitStack contextmanager",
    "atexit": "register unregister _run_exitfuncs",
    "weakref": "finalize WeakMethod ref",
    "signal": "signal alarm raise_signal setitimer",
    "sched": "scheduler",
    "threading": "Thread Timer _start_new_thread setprofile",
    "_thread": "start_new_thread start_new",
    "queue": "Queue",
    "copy": "deepcopy copy",
    "gc": "get_objects get_referrers",
    "sys": "exit setprofile settrace _getframe exc_info modules setrecursionlimit addaudithook "
           "meta_path path",
    "faulthandler": "_sigsegv register dump_traceback_later",
    "resource": "setrlimit",
    "warnings": "showwarning filterwarnings",
    # files
    "io": "open FileIO open_code",
    "_io": "open FileIO",
    "_pyio": "open FileIO",
    "codecs": "open lookup register decode",
    "shutil": "rmtree copy copyfile move copytree make_archive unpack_archive chown which "
              "disk_usage register_archive_format",
    "tempfile": "NamedTemporaryFile mkstemp mkdtemp mktemp TemporaryDirectory",
    "pathlib": "Path.write_text Path.unlink PosixPath.read_text PosixPath.write_bytes Path.open",
    "zipfile": "ZipFile main PyZipFile ZipFile.extractall",
    "zipapp": "create_archive main",
    "tarfile": "open TarFile main TarFile.extractall",
    "gzip": "open GzipFile",
    "bz2": "open BZ2File",
    "lzma": "open LZMAFile",
    "fileinput": "input FileInput",
    "linecache": "getlines getline updatecache",
    "glob": "glob",
    "dbm": "open",
    "dbm.dumb": "open",
    "sqlite3": "connect Connection",
    "mailbox": "mbox Maildir",
    "logging": "FileHandler basicConfig",
    "logging.handlers": "SocketHandler SMTPHandler HTTPHandler RotatingFileHandler",
    "uu": "encode decode",
    "csv": "reader",
    "plistlib": "load loads",
    "configparser": "ConfigParser.read",
    "netrc": "netrc",
    "tokenize": "open",
    "getpass": "getpass",
    "pwd": "getpwall",
    "readline": "read_history_file write_history_file",
    "fcntl": "ioctl",
    "winreg": "SetValue CreateKey",
    "posixpath": "expanduser realpath",
    "genericpath": "exists",
    # network
    "socket": "socket create_connection create_server getaddrinfo fromfd socketpair gethostbyname",
    "_socket": "socket getaddrinfo",
    "ssl": "get_server_certificate wrap_socket create_default_context SSLContext",
    "socketserver": "TCPServer ForkingTCPServer",
    "http.client": "HTTPConnection HTTPSConnection",
    "http.server": "HTTPServer test",
    "httplib": "HTTPConnection HTTPSConnection",
    "urllib": "urlopen urlretrieve",
    "urllib2": "urlopen Request",
    "urllib.request": "urlopen urlretrieve Request build_opener install_opener FancyURLopener",
    "urllib.robotparser": "RobotFileParser",
    "ftplib": "FTP FTP_TLS test",
    "smtplib": "SMTP SMTP_SSL",
    "poplib": "POP3 POP3_SSL",
    "nntplib": "NNTP",
    "telnetlib": "Telnet",
    "xmlrpc.client": "ServerProxy Transport",
    "xmlrpc.server": "SimpleXMLRPCServer",
    "wsgiref.simple_server": "make_server",
    "asyncore": "dispatcher loop",
    "smtpd": "SMTPServer",
    "requests": "get post request Session",
    "requests.api": "get post",
    "urllib3": "PoolManager",
    "aiohttp.client": "ClientSession",
    "httpx": "get Client",
    "paramiko": "SSHClient",
    "boto3": "client",
    "botocore.session": "Session",
    "websocket": "create_connection",
    "dns.resolver": "query",
    "select": "select",
    # loaders of further pickles and native code in frameworks
    "numpy": "load loadtxt genfromtxt fromfile memmap save savez vectorize frompyfunc lookfor",
    "numpy.lib.npyio": "load NpzFile loadtxt fromregex",
    "numpy.lib._npyio_impl": "load",
    "numpy.lib.format": "read_array open_memmap",
    "numpy.testing._private.utils": "runstring rundocs measure",
    "numpy.testing": "run_module_suite rundocs",
    "numpy.core.function_base": "add_newdoc",
    "numpy.ctypeslib": "load_library",
    "numpy.lib.utils": "safe_eval source",
    "numpy.compat.py3k": "npy_load_module",
    "scipy.io": "loadmat",
    "scipy.io.matlab": "loadmat",
    "scipy.sparse": "load_npz",
    "scipy._lib._testutils": "PytestTester",
    "pandas": "read_pickle eval read_csv read_html read_sql HDFStore",
    "pandas.io.pickle": "read_pickle to_pickle",
    "pandas.io.common": "get_handle urlopen",
    "pandas.core.computation.eval": "eval",
    "pandas.core.frame": "DataFrame.query DataFrame.to_pickle DataFrame.eval",
    "pandas.compat.pickle_compat": "load loads Unpickler",
    "joblib": "load dump Memory Parallel",
    "joblib.numpy_pickle": "load _unpickle NumpyUnpickler",
    "joblib.numpy_pickle_compat": "load_compatibility ZipNumpyUnpickler",
    "joblib.memory": "Memory MemorizedFunc",
    "joblib.externals.loky.backend.popen_loky_posix": "Popen",
    "sklearn.externals.joblib": "load",
    "sklearn.datasets": "fetch_openml load_svmlight_file load_files",
    "sklearn.utils._testing": "set_random_state",
    "dill": "loads load _dill._create_code _dill._create_function _dill._import_module load_session",
    "dill._dill": "_create_function _create_code _create_module _import_module _load_type loads",
    "cloudpickle": "loads load",
    "cloudpickle.cloudpickle": "_builtin_type _make_function _make_skel_func subimport "
                               "_fill_function dynamic_subimport CloudPickler",
    "jsonpickle": "decode",
    "jsonpickle.unpickler": "Unpickler loadclass",
    "torch": "load save hub.load ops.load_library jit.load compile package.PackageImporter",
    "torch.serialization": "load _load _legacy_load _open_file save",
    "torch.hub": "load load_state_dict_from_url download_url_to_file _download_url_to_file",
    "torch.jit": "load script CompilationUnit",
    "torch.jit._serialization": "load",
    "torch.package.package_importer": "PackageImporter",
    "torch.ops": "load_library",
    "torch._ops": "_Ops.load_library",
    "torch.classes": "load_library",
    "torch.utils.cpp_extension": "load load_inline verify_ninja_availability",
    "torch.utils.collect_env": "run run_and_read_all run_and_parse_first_match",
    "torch.utils.bottleneck.__main__": "run_cprofile run_autograd_prof compile_script",
    "torch.utils.model_zoo": "load_url",
    "torch.utils.data.datapipes.utils.decoder": "basichandlers",
    "torch.utils._config_module": "ConfigModule.load_config",
    "torch.utils.show_pickle": "main",
    "torch._inductor.codecache": "compile_file write CppCodeCache.load AsyncCompile.cpp",
    "torch._dynamo.guards": "GuardBuilder.get",
    "torch._dynamo": "optimize",
    "torch.fx.experimental.symbolic_shapes": "ShapeEnv.evaluate_guards_expression",
    "torch.fx.graph_module": "_exec_with_source reduce_graph_module _forward_from_src",
    "torch.fx.graph": "Graph",
    "torch.jit.unsupported_tensor_ops": "execWrapper",
    "torch.distributed.rpc": "rpc_sync init_rpc",
    "torch.distributed.elastic.multiprocessing": "start_processes",
    "torch.distributed.run": "main",
    "torch.multiprocessing": "spawn Process",
    "torch.testing._internal.common_utils": "run_tests shell",
    "torch._utils": "_import_dotted_name",
    "torch._appdirs": "user_cache_dir",
    "torch.onnx": "export",
    "torchvision.datasets.utils": "download_url extract_archive",
    "torchvision.io": "read_image",
    "tensorflow": "io.read_file keras.models.load_model saved_model.load load_op_library",
    "tensorflow.python.framework.load_library": "load_op_library",
    "keras.models": "load_model model_from_json",
    "keras.utils": "get_file deserialize_keras_object",
    "keras.utils.data_utils": "get_file",
    "keras.layers": "Lambda",
    "tensorflow_hub": "load",
    "onnx": "load",
    "onnx.hub": "load",
    "onnxruntime": "InferenceSession",
    "transformers": "pipeline AutoModel.from_pretrained",
    "transformers.dynamic_module_utils": "get_class_from_dynamic_module",
    "huggingface_hub": "hf_hub_download snapshot_download",
    "datasets": "load_dataset",
    "mlflow.pyfunc": "load_model",
    "mlflow": "run",
    "skops.io": "load loads",
    "h5py": "File",
    "nltk": "download",
    "nltk.data": "load",
    "nltk.internals": "java",
    "spacy": "load",
    "spacy.util": "run_command import_file",
    "PIL.ImageMath": "eval unsafe_eval",
    "PIL.ImageShow": "show Viewer",
    "PIL.Image": "open",
    "cv2": "imread",
    "fsspec": "open",
    "sqlalchemy": "create_engine",
    "fabric": "Connection",
    "invoke": "run",
    "sh": "Command",
    "pexpect": "spawn run",
    "plumbum": "local",
    "doit.cmd_base": "main",
    "ray": "init get",
    "dask.config": "collect",
    "distributed": "Client",
    "tornado.process": "Subprocess",
    "twisted.internet.reactor": "spawnProcess",
    "gevent.subprocess": "Popen",
    "eventlet.green.subprocess": "Popen",
    "psutil": "Popen",
    "py.process": "cmdexec",
    "_pyrepl.pager": "pipe_pager",
    "nvidia_smi": "run",
    "homemade_payload_module": "run Payload",
}
INERT = "by specification: what it could do it does not do with this argument"
PYTHON2 = {"subprocess": "commands", "urllib.request": "urllib2", "http.client": "httplib",
           "builtins": "__builtin__", "pickle": "cPickle", "copyreg": "copy_reg",
           "dbm": "anydbm", "queue": "Queue", "_thread": "thread", "winreg": "_winreg",
           "socketserver": "SocketServer", "configparser": "ConfigParser",
           "xmlrpc.client": "xmlrpclib"}
PYTHON2_NAMES = {"subprocess": ("getoutput", "getstatusoutput")}


def short(text):
    raw = text.encode()
    return b"\x8c" + bytes([len(raw)]) + raw


def glob(module, name):
    return f"c{module}\n{name}\n".encode()


def forms(module, name):
    """(form, pickle) for every way to call the thing with one inert argument."""
    argument = b"X\x04\x00\x00\x00echo"
    is_class = name.rpartition(".")[2][0].isupper()
    stack_global = short(module) + short(name) + b"\x93"
    if "." not in name:
        yield "reduce", b"\x80\x02" + glob(module, name) + argument + b"\x85R."
        yield "text", glob(module, name) + b"(S'echo'\ntR."
        yield "inst", b"(S'echo'\ni" + f"{module}\n{name}\n".encode() + b"."
        yield "obj", b"(" + glob(module, name) + argument + b"o."
    body = stack_global + argument + b"\x85R0N."
    yield "stack-global", b"\x80\x04\x95" + struct.pack("<Q", len(body)) + body
    if is_class:
        yield "newobj", b"\x80\x04" + stack_global + argument + b"\x85\x81}b."
        yield "newobj-ex", b"\x80\x04" + stack_global + argument + b"\x85}\x92."
    if module not in ("logging", "__builtin__", "homemade_payload_module"):
        yield "walk", b"\x80\x04" + short("logging") + short(f"{module}.{name}") + b"\x93" + argument + b"\x85R."
    if module in PYTHON2 and "." not in name and name in PYTHON2_NAMES.get(module, (name,)):
        yield "python2", b"\x80\x02" + glob(PYTHON2[module], name) + argument + b"\x85R."


def main():
    out = sys.argv[1]
    os.makedirs(out, exist_ok=True)
    rows = []
    for module, names in GADGETS.items():
        for name in names.split():
            for form, data in forms(module, name):
                path = f"{module}.{name}-{form}.pkl"
                with open(os.path.join(out, path), "wb") as f:
                    f.write(data)
                least = "dangerous"
                rows.append((path, "malicious", form, INERT, "", least))
    with open(os.path.join(out, "manifest.tsv"), "w", encoding="utf-8") as f:
        for row in rows:
            f.write("\t".join(row) + "\n")
    print(f"{len(rows)} files, {sum(len(n.split()) for n in GADGETS.values())} callables")


if __name__ == "__main__":
    main()
