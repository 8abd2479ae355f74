#!/usr/bin/python3
"""Writes src/scan/pickle_allow.tsv: names that a pickle may import, call and set the state of.

  /usr/bin/python3 tools/pickle_allow.py > src/scan/pickle_allow.tsv

A line is MODULE <tab> DOTTED NAME <tab> FAMILY <tab> USE, sorted by bytes, so that the scanner finds a
name by halving. USE is what picklers do with the name, and all that is harmless about it:
  call  called with any arguments, its state set to anything, it neither runs what the arguments say
        nor touches files, network or processes
  make  a class whose objects are made empty (NEWOBJ with no arguments, copyreg._reconstructor) and
        then get their state; its constructor may call what it is given
  hold  a function that objects refer to; nothing calls it while they are loaded
tests/integration/pickle_allow_audit.py tries that on the installed libraries.

Families and where their names come from:
  python     hand-picked data types of the standard library, below
  numpy      hand-picked constructors, and by introspection: scalar types, ufuncs
  scipy      by introspection: the matrices of scipy.sparse, the distributions of scipy.stats (whose
             __setstate__ runs a text of the state: the pickle machine looks at that text);
             hand-picked trees and interpolators
  pandas     hand-picked: frames, series, indexes, blocks
  sklearn    by introspection: every class and Cython constructor of scikit-learn's own modules,
             except tests, datasets, externals; functions of metrics and feature_selection
  joblib     hand-picked wrappers of arrays
  torch      by introspection: storages, dtypes, rebuilding functions, every nn.Module of torch.nn
             and torch.ao.nn, optimisers, distributions, pure functions of torch.nn.functional
  dill       hand-picked: arrays, types by name
  torchvision, transformers, xgboost, lightgbm, catboost
             hand-picked from what their own save functions write

Debian 12's packages python3-numpy, python3-scipy, python3-sklearn, python3-joblib and python3-torch
made the list in the tree; names that other releases use are in the hand-picked part.
"""
import importlib
import inspect
import pkgutil
import sys
import warnings

warnings.simplefilter("ignore")
ROWS = set()
USES = {}  # (module, name): what is known by hand


def add(family, module, names, use=None):
    for name in names.split() if isinstance(names, str) else names:
        ROWS.add((module, name, family))
        if use:
            USES[(module, name)] = use


def submodules(package, skip):
    """Every importable module of a package, by name."""
    root = importlib.import_module(package)
    yield package, root
    for info in pkgutil.walk_packages(root.__path__, package + ".", onerror=lambda name: None):
        if any(part in info.name for part in skip):
            continue
        try:
            yield info.name, importlib.import_module(info.name)
        except (Exception, SystemExit):  # a module that needs what is not installed
            continue


def classes_of(name, module):
    for key, value in vars(module).items():
        if inspect.isclass(value) and value.__module__ == name and "<" not in value.__qualname__:
            yield value


# ---------------------------------------------------------------- the standard library
def python():
    add("python", "builtins",
        "bool bytearray bytes complex dict float frozenset int list memoryview object range set "
        "slice str tuple Ellipsis NotImplemented NoneType None True False "
        "abs all any bin chr divmod hash hex len max min oct ord pow repr round sorted sum zip "
        "enumerate reversed")
    import builtins
    add("python", "builtins", [k for k, v in vars(builtins).items()
                               if inspect.isclass(v) and issubclass(v, BaseException)])
    add("python", "_codecs", "encode")
    add("python", "copyreg", "_reconstructor __newobj__ __newobj_ex__")
    add("python", "collections",
        "OrderedDict defaultdict deque Counter ChainMap UserDict UserList UserString")
    add("python", "_collections", "OrderedDict defaultdict deque")
    add("python", "datetime", "date datetime time timedelta timezone timezone.utc")
    add("python", "_datetime", "date datetime time timedelta timezone")
    add("python", "decimal", "Decimal Context Clamped ConversionSyntax DecimalException "
                             "DivisionByZero DivisionImpossible DivisionUndefined FloatOperation "
                             "Inexact InvalidContext InvalidOperation Overflow Rounded Subnormal "
                             "Underflow")
    add("python", "fractions", "Fraction")
    add("python", "uuid", "UUID SafeUUID")
    for module in ("pathlib", "pathlib._local", "pathlib._abc"):
        add("python", module, "Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath")
    add("python", "ipaddress", "IPv4Address IPv6Address IPv4Network IPv6Network IPv4Interface "
                               "IPv6Interface")
    add("python", "array", "array _array_reconstructor")
    add("python", "argparse", "Namespace")
    add("python", "types", "SimpleNamespace MappingProxyType NoneType EllipsisType")
    add("python", "re", "_compile compile Pattern RegexFlag")
    add("python", "random", "Random")
    add("python", "_random", "Random")
    add("python", "itertools", "count repeat islice cycle chain product permutations combinations")
    add("python", "zoneinfo", "ZoneInfo ZoneInfo._unpickle")
    add("python", "_zoneinfo", "ZoneInfo ZoneInfo._unpickle")
    add("python", "io", "BytesIO StringIO")
    add("python", "_io", "BytesIO StringIO")
    add("python", "time", "struct_time")
    add("python", "enum", "Enum IntEnum Flag IntFlag auto")
    add("python", "numbers", "Number Complex Real Rational Integral")
    add("python", "math", "sqrt exp log log2 log10 sin cos tan tanh floor ceil fabs",
        "hold")
    add("python", "typing", "Any Union Optional List Dict Tuple Set Callable Sequence Mapping")
    add("python", "collections.abc", "Callable Iterable Mapping Sequence")
    add("python", "string", "Template")
    add("python", "logging", "getLogger")
    # Time zones, as frames of pandas carry them.
    add("pandas", "pytz", "_UTC _p utc")
    add("pandas", "pytz.tzinfo", "_p")
    add("pandas", "dateutil.tz.tz", "tzutc tzlocal")
    add("numpy", "ml_dtypes", "bfloat16 float8_e4m3fn float8_e5m2 int4 uint4")


# ---------------------------------------------------------------- numpy, scipy, pandas, joblib
def numpy():
    import numpy as np
    for core in ("numpy.core", "numpy._core"):
        add("numpy", core + ".multiarray", "_reconstruct scalar ndarray dtype")
        add("numpy", core + "._multiarray_umath", "_reconstruct scalar")
        add("numpy", core + ".numeric", "_frombuffer")
        add("numpy", core + ".records", "recarray record")
        add("numpy", core + "._internal", "_convert_to_stringdtype_kwargs")
    add("numpy", "numpy", "ndarray dtype matrix recarray record bool_ bool generic number integer "
                          "floating inexact")
    add("numpy", "numpy", [k for k, v in vars(np).items()
                           if inspect.isclass(v) and issubclass(v, np.generic)])
    add("numpy", "numpy", "int0 uint0 bool8 object0 str0 bytes0 void0 float96 complex192 long ulong "
                          "str object int float complex")
    ufuncs = [k for k, v in vars(np).items() if isinstance(v, np.ufunc)]
    for module in ("numpy", "numpy.core._multiarray_umath", "numpy._core._multiarray_umath"):
        add("numpy", module, ufuncs, "hold")
    add("numpy", "numpy", "mean median std var sum prod min max amin amax argmin argmax any all "
                          "nanmean nanmedian nanstd nansum nanmin nanmax cumsum clip ravel where "
                          "zeros ones full_like nan_to_num round dot asarray array", "hold")
    kinds = ("Bool Byte UByte Short UShort Int UInt Long ULong LongLong ULongLong Half Float Double "
             "LongDouble CFloat CDouble CLongDouble Object Bytes Str Void DateTime64 TimeDelta64 "
             "Int8 UInt8 Int16 UInt16 Int32 UInt32 Int64 UInt64 Float16 Float32 Float64 Complex64 "
             "Complex128").split()
    for kind in kinds:
        add("numpy", "numpy.dtypes", kind + "DType")
    add("numpy", "numpy.dtypes", "StringDType")
    add("numpy", "numpy.random._pickle",
        "__generator_ctor __bit_generator_ctor __randomstate_ctor")
    add("numpy", "numpy.random", "__RandomState_ctor RandomState Generator")
    add("numpy", "numpy.random.mtrand", "RandomState __RandomState_ctor")
    add("numpy", "numpy.random._generator", "Generator")
    for module, name in (("_mt19937", "MT19937"), ("_pcg64", "PCG64"), ("_pcg64", "PCG64DXSM"),
                         ("_philox", "Philox"), ("_sfc64", "SFC64")):
        add("numpy", "numpy.random." + module, name)
    add("numpy", "numpy.random.bit_generator", "SeedSequence __pyx_unpickle_SeedSequence "
                                               "__pyx_unpickle_SeedlessSeedSequence BitGenerator")
    add("numpy", "numpy.ma.core", "_mareconstruct MaskedArray mvoid MaskedConstant")
    for kind in "polynomial chebyshev legendre hermite hermite_e laguerre".split():
        title = {"hermite_e": "HermiteE"}.get(kind, kind.capitalize())
        add("numpy", "numpy.polynomial." + kind, title)
    add("numpy", "numpy", "poly1d finfo iinfo")
    for module in ("numpy.lib.polynomial", "numpy.lib._polynomial_impl"):
        add("numpy", module, "poly1d")
    for module in ("numpy.matrixlib.defmatrix",):
        add("numpy", module, "matrix")


def scipy():
    import scipy.sparse
    for name, module in submodules("scipy.sparse", ("test", "linalg", "csgraph")):
        for cls in classes_of(name, module):
            if cls.__name__.endswith(("_matrix", "_array")):
                add("scipy", cls.__module__, cls.__qualname__)
    for kind in "bsr coo csc csr dia dok lil".split():
        for module in (kind, "_" + kind):
            add("scipy", "scipy.sparse." + module, [kind + "_matrix", kind + "_array"])
    for part in ("continuous", "discrete"):
        name = "scipy.stats._%s_distns" % part
        for cls in classes_of(name, importlib.import_module(name)):
            if cls.__name__.endswith("_gen"):
                add("scipy", name, cls.__qualname__)
    add("scipy", "scipy.stats._distn_infrastructure", "rv_frozen rv_continuous_frozen "
                                                      "rv_discrete_frozen")
    add("scipy", "scipy.stats._distn_infrastructure", "rv_continuous rv_discrete rv_sample")
    add("scipy", "scipy.sparse._base", "_spbase spmatrix sparray")
    add("scipy", "scipy.sparse._matrix", "spmatrix")
    for module in ("scipy.spatial._ckdtree", "scipy.spatial.ckdtree"):
        add("scipy", module, "cKDTree cKDTreeNode")
    for module in ("scipy.spatial._kdtree", "scipy.spatial.kdtree"):
        add("scipy", module, "KDTree")
    for module in ("scipy.interpolate._interpolate", "scipy.interpolate.interpolate"):
        add("scipy", module, "interp1d interp2d PPoly BPoly NdPPoly")
    for module in ("scipy.interpolate._cubic", "scipy.interpolate.cubic"):
        add("scipy", module, "CubicSpline PchipInterpolator Akima1DInterpolator")
    add("scipy", "scipy.interpolate._bsplines", "BSpline")
    add("scipy", "scipy.interpolate._fitpack2", "UnivariateSpline InterpolatedUnivariateSpline "
                                                "LSQUnivariateSpline")
    add("scipy", "scipy.special._ufuncs", "expit logit erf gamma gammaln digamma xlogy", "hold")
    add("scipy", "scipy.optimize._optimize", "OptimizeResult")
    add("scipy", "scipy.spatial.transform._rotation", "Rotation Slerp")


def pandas():
    add("pandas", "pandas.core.frame", "DataFrame")
    add("pandas", "pandas.core.series", "Series")
    add("pandas", "pandas.core.internals.managers", "BlockManager SingleBlockManager "
                                                    "_unpickle_block")
    add("pandas", "pandas.core.internals.blocks", "Block new_block ensure_block_shape "
                                                  "FloatBlock IntBlock ObjectBlock BoolBlock")
    add("pandas", "pandas._libs.internals", "_unpickle_block BlockManager Block")
    add("pandas", "pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked")
    add("pandas", "pandas.core.indexes.base", "_new_Index Index")
    add("pandas", "pandas.core.indexes.range", "RangeIndex")
    add("pandas", "pandas.core.indexes.numeric", "Int64Index UInt64Index Float64Index NumericIndex")
    add("pandas", "pandas.core.indexes.multi", "MultiIndex")
    add("pandas", "pandas.core.indexes.category", "CategoricalIndex")
    add("pandas", "pandas.core.indexes.interval", "IntervalIndex _new_IntervalIndex")
    add("pandas", "pandas.core.indexes.datetimes", "DatetimeIndex _new_DatetimeIndex")
    add("pandas", "pandas.core.indexes.timedeltas", "TimedeltaIndex")
    add("pandas", "pandas.core.indexes.period", "PeriodIndex _new_PeriodIndex")
    add("pandas", "pandas.core.indexes.frozen", "FrozenList")
    add("pandas", "pandas.core.arrays.categorical", "Categorical")
    add("pandas", "pandas.core.arrays.datetimes", "DatetimeArray")
    add("pandas", "pandas.core.arrays.timedeltas", "TimedeltaArray")
    add("pandas", "pandas.core.arrays.period", "PeriodArray")
    add("pandas", "pandas.core.arrays.interval", "IntervalArray")
    add("pandas", "pandas.core.arrays.integer", "IntegerArray Int8Dtype Int16Dtype Int32Dtype "
                                                "Int64Dtype UInt8Dtype UInt16Dtype UInt32Dtype "
                                                "UInt64Dtype")
    add("pandas", "pandas.core.arrays.floating", "FloatingArray Float32Dtype Float64Dtype")
    add("pandas", "pandas.core.arrays.boolean", "BooleanArray BooleanDtype")
    add("pandas", "pandas.core.arrays.string_", "StringArray StringDtype")
    add("pandas", "pandas.core.arrays.numpy_", "PandasArray NumpyExtensionArray")
    add("pandas", "pandas.core.arrays.sparse.array", "SparseArray")
    for module in ("pandas.core.arrays.sparse.dtype", "pandas.core.sparse.dtype"):
        add("pandas", module, "SparseDtype")
    add("pandas", "pandas._libs.sparse", "IntIndex BlockIndex")
    add("pandas", "pandas.core.dtypes.dtypes", "CategoricalDtype DatetimeTZDtype PeriodDtype "
                                               "IntervalDtype SparseDtype ArrowDtype")
    add("pandas", "pandas._libs.tslibs.timestamps", "_unpickle_timestamp Timestamp")
    add("pandas", "pandas._libs.tslibs.timedeltas", "_timedelta_unpickle Timedelta")
    add("pandas", "pandas._libs.tslibs.period", "Period")
    add("pandas", "pandas._libs.tslibs.nattype", "_nat_unpickle __nat_unpickle NaTType")
    add("pandas", "pandas._libs.interval", "Interval")
    add("pandas", "pandas._libs.missing", "NAType NA")
    offsets = ("Day Hour Minute Second Milli Micro Nano MonthEnd MonthBegin BusinessDay Week "
               "QuarterEnd QuarterBegin YearEnd YearBegin BMonthEnd BMonthBegin DateOffset")
    add("pandas", "pandas._libs.tslibs.offsets", offsets)
    add("pandas", "pandas._libs.tslibs.offsets", "__pyx_unpickle_BaseOffset")
    add("pandas", "pandas.core.flags", "Flags")
    # Modules of earlier and later releases that hold the same classes.
    add("pandas", "pandas.indexes.base", "_new_Index Index")
    for module in ("pandas.indexes.range", "pandas.indexes.numeric", "pandas.indexes.multi"):
        add("pandas", module, "RangeIndex Int64Index Float64Index UInt64Index MultiIndex")
    add("pandas", "pandas.core.internals", "BlockManager SingleBlockManager FloatBlock IntBlock "
                                           "ObjectBlock BoolBlock DatetimeBlock CategoricalBlock")
    add("pandas", "pandas.core.index", "_new_Index Index Int64Index MultiIndex")
    add("pandas", "pandas.tseries.index", "_new_DatetimeIndex DatetimeIndex")
    add("pandas", "pandas.tslib", "Timestamp Timedelta __nat_unpickle")
    add("pandas", "pandas._libs.tslib", "Timestamp Timedelta __nat_unpickle NaTType")
    add("pandas", "pandas.tseries.offsets", offsets)
    add("pandas", "pandas.core.arrays.arrow.dtype", "ArrowDtype")
    add("pandas", "pandas.core.arrays.arrow.array", "ArrowExtensionArray")
    add("pandas", "pandas.core.arrays.string_arrow", "ArrowStringArray")


def joblib():
    # NDArrayWrapper and ZNDArrayWrapper are left out: they load another file by name.
    add("joblib", "joblib.numpy_pickle", "NumpyArrayWrapper")
    add("joblib", "sklearn.externals.joblib.numpy_pickle", "NumpyArrayWrapper")


# ---------------------------------------------------------------- scikit-learn
# Parameters that take something to call, and classes that start processes.
CALLED = {"metric", "func", "callback", "scoring", "score_func", "reduce_func", "kernel", "estimator",
          "similarity", "scorer", "response_method"}
NOT_CLASSES = {"Parallel", "_FuncWrapper", "CheckingClassifier"}


def takes_a_function(function):
    try:
        return bool(CALLED & set(inspect.signature(function).parameters))
    except (TypeError, ValueError):
        return True


def sklearn():
    skip = (".tests", ".datasets", ".externals", "_testing", "conftest", "estimator_checks", "_build_utils",
            ".experimental", "setup", "_openmp")
    for name, module in submodules("sklearn", skip):
        for cls in classes_of(name, module):
            if cls.__name__ not in NOT_CLASSES:
                add("sklearn", name, cls.__qualname__)
        for key, value in vars(module).items():
            if key.startswith("__pyx_unpickle_") or key == "newObj":
                add("sklearn", name, key)
        if name.startswith(("sklearn.metrics", "sklearn.feature_selection")):
            for key, value in vars(module).items():
                if (inspect.isfunction(value) and value.__module__ == name
                        and not key.startswith("_dist_wrapper")
                        and not takes_a_function(value)):
                    add("sklearn", name, key, "hold")
    add("sklearn", "sklearn.preprocessing._function_transformer", "_identity", "hold")
    add("sklearn", "sklearn.metrics._scorer", "_passthrough_scorer", "hold")
    add("sklearn", "sklearn.cluster._kmeans", "_kmeans_single_lloyd _kmeans_single_elkan",
        "hold")
    add("sklearn", "sklearn.feature_extraction.text", "strip_accents_unicode strip_accents_ascii "
                                                      "strip_tags", "hold")
    # Modules of earlier and later releases that hold the same classes.
    old = {
        "sklearn.tree.tree": "DecisionTreeClassifier DecisionTreeRegressor ExtraTreeClassifier "
                             "ExtraTreeRegressor",
        "sklearn.ensemble.forest": "RandomForestClassifier RandomForestRegressor "
                                   "ExtraTreesClassifier ExtraTreesRegressor",
        "sklearn.ensemble.gradient_boosting": "GradientBoostingClassifier GradientBoostingRegressor "
                                              "BinomialDeviance MultinomialDeviance "
                                              "LeastSquaresError",
        "sklearn.linear_model.logistic": "LogisticRegression LogisticRegressionCV",
        "sklearn.linear_model.base": "LinearRegression",
        "sklearn.linear_model.ridge": "Ridge RidgeClassifier RidgeCV",
        "sklearn.linear_model.coordinate_descent": "Lasso ElasticNet LassoCV ElasticNetCV",
        "sklearn.linear_model.stochastic_gradient": "SGDClassifier SGDRegressor",
        "sklearn.svm.classes": "SVC SVR LinearSVC LinearSVR NuSVC OneClassSVM",
        "sklearn.neighbors.classification": "KNeighborsClassifier",
        "sklearn.neighbors.regression": "KNeighborsRegressor",
        "sklearn.naive_bayes": "GaussianNB MultinomialNB BernoulliNB ComplementNB CategoricalNB",
        "sklearn.preprocessing.data": "StandardScaler MinMaxScaler MaxAbsScaler RobustScaler "
                                      "Normalizer Binarizer PolynomialFeatures",
        "sklearn.preprocessing.label": "LabelEncoder LabelBinarizer MultiLabelBinarizer",
        "sklearn.preprocessing.imputation": "Imputer",
        "sklearn.cluster.k_means_": "KMeans MiniBatchKMeans",
        "sklearn.cluster.dbscan_": "DBSCAN",
        "sklearn.decomposition.pca": "PCA",
        "sklearn.decomposition.truncated_svd": "TruncatedSVD",
        "sklearn.neural_network.multilayer_perceptron": "MLPClassifier MLPRegressor",
        "sklearn.neural_network._stochastic_optimizers": "AdamOptimizer SGDOptimizer",
        "sklearn.utils": "Bunch",
        "sklearn.utils.deprecation": "deprecated",
        "sklearn._loss.link": "IdentityLink LogLink LogitLink HalfLogitLink MultinomialLogit "
                              "Interval",
        "sklearn.metrics._dist_metrics": "newObj",
        "sklearn.neighbors._binary_tree": "newObj",
        "sklearn.neighbors.kd_tree": "newObj KDTree",
        "sklearn.neighbors.ball_tree": "newObj BallTree",
        "sklearn.neighbors.dist_metrics": "newObj EuclideanDistance MinkowskiDistance",
        "sklearn.tree._utils": "Stack PriorityHeap",
        "sklearn.utils._metadata_requests": "MetadataRequest MethodMetadataRequest",
    }
    for module, names in old.items():
        add("sklearn", module, names)


# ---------------------------------------------------------------- PyTorch and friends
def torch():
    import torch as t
    import torch.nn
    rebuild = [k for k in vars(importlib.import_module("torch._utils")) if k.startswith("_rebuild_")]
    add("torch", "torch._utils", rebuild)
    add("torch", "torch._utils",
        "_rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_parameter "
        "_rebuild_parameter_with_state _rebuild_sparse_tensor _rebuild_sparse_csr_tensor "
        "_rebuild_nested_tensor _rebuild_qtensor _rebuild_meta_tensor_no_storage "
        "_rebuild_device_tensor_from_numpy _rebuild_device_tensor_from_cpu_tensor "
        "_rebuild_wrapper_subclass _rebuild_xla_tensor _set_obj_state")
    add("torch", "torch._tensor", "_rebuild_from_type _rebuild_from_type_v2 Tensor")
    add("torch", "torch", "Size Tensor device dtype layout memory_format finfo iinfo Generator "
                          "strided sparse_coo sparse_csr contiguous_format channels_last "
                          "preserve_format per_tensor_affine per_channel_affine "
                          "per_tensor_symmetric per_channel_symmetric Storage FloatTensor "
                          "DoubleTensor HalfTensor LongTensor IntTensor ByteTensor BoolTensor "
                          "ShortTensor CharTensor")
    add("torch", "torch", [k for k, v in vars(t).items() if isinstance(v, t.dtype)])
    add("torch", "torch", "float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu "
                          "uint16 uint32 uint64 bits8 quint4x2 quint2x4 float4_e2m1fn_x2")
    kinds = ("Float Double Half BFloat16 Long Int Short Char Byte Bool ComplexFloat ComplexDouble "
             "QUInt8 QInt8 QInt32 QUInt4x2 QUInt2x4").split()
    for kind in kinds:
        add("torch", "torch", kind + "Storage")
        add("torch", "torch.cuda", kind + "Storage")
        add("torch", "torch.storage", kind + "Storage")
        add("torch", "torch.cuda", kind + "Tensor")
    add("torch", "torch.storage", "UntypedStorage TypedStorage _UntypedStorage _TypedStorage")
    add("torch", "torch", "UntypedStorage TypedStorage")
    add("torch", "torch.serialization", "_get_layout")
    add("torch", "torch.torch_version", "TorchVersion")
    add("torch", "torch.jit._pickle", "build_intlist build_doublelist build_boollist "
                                      "build_tensorlist build_tensor_from_id restore_type_tag")
    add("torch", "torch.nn.parameter", "Parameter Buffer UninitializedParameter UninitializedBuffer")
    add("torch", "torch.nn.backends.thnn", "_get_thnn_function_backend")
    add("torch", "torch.utils.hooks", "RemovableHandle")
    add("torch", "torch.nn.modules.module", "_WrappedHook")
    add("torch", "torch._C", "Generator _nn.gelu _nn.softplus")
    add("torch", "torch.nn.modules.container", "Sequential ModuleList ModuleDict ParameterList "
                                               "ParameterDict")
    for package in ("torch.nn", "torch.ao.nn"):
        for name, module in submodules(package, ("test", "utils.stateless", "parallel.distributed",
                                                 "onnx")):
            for cls in classes_of(name, module):
                if issubclass(cls, t.nn.Module):
                    add("torch", name, cls.__qualname__)
    for name, module in submodules("torch.optim", ("test",)):
        for cls in classes_of(name, module):
            add("torch", name, cls.__qualname__)
    for name, module in submodules("torch.distributions", ("test",)):
        for cls in classes_of(name, module):
            add("torch", name, cls.__qualname__)
    add("torch", "torch.nn.modules.rnn", "LSTM GRU RNN LSTMCell GRUCell RNNCell")
    add("torch", "torch.nn.modules.activation", "GELU SiLU Mish")
    functional = importlib.import_module("torch.nn.functional")
    add("torch", "torch.nn.functional",
        [k for k, v in vars(functional).items()
         if callable(v) and not k.startswith("_") and not inspect.isclass(v)
         and k not in ("boolean_dispatch", "has_torch_function", "handle_torch_function",
                       "has_torch_function_unary", "has_torch_function_variadic", "assert_int_or_pair",
                       "List", "Optional", "Tuple", "Callable", "Union", "TYPE_CHECKING")], "hold")
    add("torch", "torch._C._nn", "gelu softplus log_sigmoid leaky_relu linear", "hold")
    add("torch", "torch", "relu relu_ tanh sigmoid softmax log_softmax selu celu rrelu prelu exp "
                          "log sqrt abs add mul cat stack matmul", "hold")
    for module in ("torch.ao.quantization.observer", "torch.quantization.observer"):
        add("torch", module, "MinMaxObserver HistogramObserver MovingAverageMinMaxObserver "
                             "PerChannelMinMaxObserver PlaceholderObserver NoopObserver "
                             "MovingAveragePerChannelMinMaxObserver FixedQParamsObserver")
    for module in ("torch.ao.quantization.fake_quantize", "torch.quantization.fake_quantize"):
        add("torch", module, "FakeQuantize FixedQParamsFakeQuantize")
    for name in ("torch.nn.utils.prune", "torch.nn.utils.weight_norm",
                 "torch.nn.utils.spectral_norm", "torch.nn.utils.parametrize",
                 "torch.nn.utils.parametrizations", "torch.nn.utils.rnn",
                 "torch.utils.data.dataset", "torch.utils.data.sampler"):
        for cls in classes_of(name, importlib.import_module(name)):
            add("torch", name, cls.__qualname__)
    add("torch", "torch.return_types",
        [k for k, v in vars(t.return_types).items() if inspect.isclass(v)])
    add("torch", "torch", "ScriptObject")
    add("torch", "torch._C", "ScriptObject _VariableFunctionsClass")
    add("torch", "torch.ao.quantization.stubs", "QuantStub DeQuantStub QuantWrapper")
    add("torch", "torch.ao.quantization.qconfig", "QConfig QConfigDynamic")


def torchvision():
    models = "torchvision.models."
    pairs = {
        "alexnet": "AlexNet", "vgg": "VGG", "resnet": "ResNet BasicBlock Bottleneck",
        "densenet": "DenseNet _DenseBlock _DenseLayer _Transition",
        "squeezenet": "SqueezeNet Fire", "inception": "Inception3 InceptionA InceptionB InceptionC "
        "InceptionD InceptionE InceptionAux BasicConv2d",
        "googlenet": "GoogLeNet Inception InceptionAux BasicConv2d",
        "mobilenet": "MobileNetV2 ConvBNReLU InvertedResidual",
        "mobilenetv2": "MobileNetV2 InvertedResidual",
        "mobilenetv3": "MobileNetV3 InvertedResidual SqueezeExcitation",
        "mnasnet": "MNASNet _InvertedResidual", "shufflenetv2": "ShuffleNetV2 InvertedResidual",
        "efficientnet": "EfficientNet MBConv FusedMBConv",
        "convnext": "ConvNeXt CNBlock LayerNorm2d", "regnet": "RegNet AnyStage ResBottleneckBlock "
        "BottleneckTransform SimpleStemIN",
        "vision_transformer": "VisionTransformer Encoder EncoderBlock MLPBlock",
        "swin_transformer": "SwinTransformer SwinTransformerBlock ShiftedWindowAttention "
        "PatchMerging",
        "_utils": "IntermediateLayerGetter", "feature_extraction": "DualGraphModule",
        "segmentation.fcn": "FCN FCNHead", "segmentation.deeplabv3": "DeepLabV3 DeepLabHead ASPP "
        "ASPPConv ASPPPooling", "detection.faster_rcnn": "FasterRCNN TwoMLPHead FastRCNNPredictor",
        "detection.mask_rcnn": "MaskRCNN MaskRCNNHeads MaskRCNNPredictor",
        "detection.rpn": "AnchorGenerator RPNHead RegionProposalNetwork",
        "detection.roi_heads": "RoIHeads", "detection.transform": "GeneralizedRCNNTransform",
        "detection.backbone_utils": "BackboneWithFPN", "detection.anchor_utils": "AnchorGenerator",
        "detection._utils": "Matcher BalancedPositiveNegativeSampler BoxCoder",
    }
    for module, names in pairs.items():
        add("torchvision", models + module, names)
    add("torchvision", "torchvision.ops.misc", "FrozenBatchNorm2d ConvNormActivation "
        "Conv2dNormActivation SqueezeExcitation MLP Permute")
    add("torchvision", "torchvision.ops.stochastic_depth", "StochasticDepth")
    add("torchvision", "torchvision.ops.feature_pyramid_network", "FeaturePyramidNetwork "
        "LastLevelMaxPool")
    add("torchvision", "torchvision.ops.poolers", "MultiScaleRoIAlign LevelMapper")
    add("torchvision", "torchvision.transforms.transforms", "Compose Resize CenterCrop ToTensor "
        "Normalize RandomCrop RandomHorizontalFlip RandomResizedCrop RandomRotation ColorJitter "
        "Grayscale Pad ToPILImage InterpolationMode")
    add("torchvision", "torchvision.transforms.functional", "InterpolationMode")


def others():
    # The pickle machine looks at what they are given: the function that the one calls, the type that
    # the other names.
    for module in ("dill._dill", "dill.dill"):
        add("dill", module, "_load_type _create_array")
    add("transformers", "transformers.training_args", "TrainingArguments OptimizerNames "
                                                      "ParallelMode")
    add("transformers", "transformers.training_args_seq2seq", "Seq2SeqTrainingArguments")
    add("transformers", "transformers.trainer_utils", "IntervalStrategy SchedulerType HubStrategy "
        "EvaluationStrategy SaveStrategy ShardedDDPOption FSDPOption EvalPrediction")
    add("transformers", "transformers.trainer_pt_utils", "AcceleratorConfig")
    add("transformers", "transformers.tokenization_utils_base", "BatchEncoding")
    add("transformers", "accelerate.state", "PartialState AcceleratorState")
    add("transformers", "accelerate.utils.dataclasses", "DistributedType DeepSpeedPlugin "
                                                        "DynamoBackend")
    add("xgboost", "xgboost.core", "Booster", "make")  # never DMatrix: it reads a file by name
    add("xgboost", "xgboost.sklearn", "XGBClassifier XGBRegressor XGBRanker XGBRFClassifier "
        "XGBRFRegressor XGBModel XGBoostLabelEncoder", "make")
    add("xgboost", "xgboost.compat", "XGBoostLabelEncoder")
    add("lightgbm", "lightgbm.basic", "Booster", "make")
    add("lightgbm", "lightgbm.sklearn", "LGBMClassifier LGBMRegressor LGBMRanker LGBMModel",
        "make")
    add("lightgbm", "lightgbm.compat", "LGBMLabelEncoder _LGBMLabelEncoder")
    add("catboost", "catboost.core", "CatBoost CatBoostClassifier CatBoostRegressor CatBoostRanker",
        "make")


# ---------------------------------------------------------------- what each may be used for
MADE = ("scipy", "sklearn", "torch", "torchvision")


def makes_empty(cls):
    """Whether object.__reduce_ex__ writes its objects: made empty, then given their state."""
    return (cls.__reduce_ex__ is object.__reduce_ex__ and cls.__reduce__ is object.__reduce__
            and cls.__new__ is object.__new__ and not hasattr(cls, "__getnewargs__")
            and not hasattr(cls, "__getnewargs_ex__"))


def use_of(module, name, family):
    if (module, name) in USES:
        return USES[(module, name)]
    if family not in MADE:
        return "call"
    try:
        value = importlib.import_module(module)
        for part in name.split("."):
            value = getattr(value, part)
    except (Exception, SystemExit):
        return "make" if family == "torchvision" and "Mode" not in name else "call"
    return "make" if inspect.isclass(value) and makes_empty(value) else "call"


def main():
    for part in (python, numpy, scipy, pandas, joblib, sklearn, torch, torchvision, others):
        part()
    rows = {}
    for module, name, family in sorted(ROWS, key=lambda row: (row[2], row[0], row[1])):
        rows.setdefault((module, name), family)  # the same name may be meant twice
    lines = ["%s\t%s\t%s\t%s" % (m, n, f, use_of(m, n, f)) for (m, n), f in rows.items() if n]
    for line in sorted(lines, key=lambda text: text.encode()):
        sys.stdout.write(line + "\n")


main()
