"""Our own interpreter of ONNX beside ONNX Runtime: outputs of nets of a dozen shapes; and its gradients by differences."""
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from array import array

from onnx_maker import DOUBLE, Maker

SOURCE, BUILD = os.environ["TUTELA_SOURCE"], os.environ["TUTELA_BUILD"]
RUN = os.path.join(BUILD, "tests/tut_net_run")
NODE = shutil.which("node")
ROWS = 37  # more than one pass of the tool


def mlp(m):
    x = m.node("Gemm", "x", m.weights(20, 32), m.draw(32), alpha=0.7, beta=1.3)
    x = m.node("Relu", x)
    x = m.node("Gemm", x, m.weights(16, 32), m.draw(1, 16), transB=1)
    x = m.node("Tanh", x)
    x = m.node("Add", m.node("MatMul", x, m.weights(16, 5)), m.draw(5))
    return m.node("Softmax", x)


def typed(m):
    """Constants in every way that they may be written."""
    x = m.node("Gemm", "x", m.node("Cast", m.draw(20, 8, kind=DOUBLE), to=1), m.draw(8, way="typed"))
    x = m.node("Cast", x, to=1)
    x = m.node("Reshape", x, m.ints(0, 2, 4, way="typed"))
    x = m.node("Mul", x, m.draw(2, 1))
    return m.node("Flatten", m.node("Sub", m.draw(1, 2, 4), x))


def cnn(m):
    x = m.node("Conv", "x", m.weights(8, 3, 3, 3), m.draw(8), pads=[1, 1, 1, 1])
    x = m.node("MaxPool", m.node("Relu", m.norm(x, 8)), kernel_shape=[2, 2], strides=[2, 2])
    x = m.node("Conv", x, m.weights(12, 8, 4, 4), auto_pad="SAME_LOWER", strides=[2, 2])
    x = m.node("AveragePool", m.node("LeakyRelu", m.norm(x, 12), alpha=0.2), kernel_shape=[2, 2], pads=[1, 0, 0, 1])
    return m.node("Gemm", m.node("Flatten", x), m.weights(12 * 9, 10), m.draw(10))


def residual(m):
    x = m.node("Relu", m.norm(m.node("Conv", "x", m.weights(8, 3, 3, 3), pads=[1, 1, 1, 1]), 8))
    for _ in range(2):
        y = m.node("Relu", m.norm(m.node("Conv", x, m.weights(8, 8, 3, 3), pads=[1, 1, 1, 1]), 8))
        y = m.norm(m.node("Conv", y, m.weights(8, 8, 3, 3), pads=[1, 1, 1, 1]), 8)
        x = m.node("Relu", m.node("Add", y, x))
    short = m.node("Conv", x, m.weights(16, 8, 1, 1), strides=[2, 2])
    x = m.node("Add", m.node("Conv", x, m.weights(16, 8, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1]), short)
    x = m.node("Flatten", m.node("GlobalAveragePool", x))
    return m.node("LogSoftmax", m.node("Gemm", x, m.weights(10, 16), transB=1))


def series(m):
    x = m.node("Conv", "x", m.weights(6, 2, 5), m.draw(6), dilations=[2], pads=[4, 0])
    x = m.node("MaxPool", m.node("Elu", x, alpha=0.5), kernel_shape=[3], strides=[2], pads=[1, 1])
    x = m.node("Conv", x, m.weights(6, 3, 3), group=2)
    x = m.node("AveragePool", x, kernel_shape=[2], pads=[1, 1], count_include_pad=1)
    x = m.node("Flatten", m.node("GlobalMaxPool", x))
    return m.node("Sigmoid", m.node("Gemm", x, m.weights(6, 1)))


def depthwise(m):
    x = m.node("Conv", "x", m.weights(6, 1, 3, 3), m.draw(6), group=3, strides=[1, 2])
    x = m.node("Clip", x, m.tensor([], [0.0]), m.tensor([], [6.0]))
    x = m.node("Conv", x, m.weights(6, 1, 3, 3), group=6, dilations=[2, 1], pads=[2, 1, 2, 1])
    x = m.node("Conv", x, m.weights(4, 6, 2, 2), auto_pad="SAME_UPPER")
    gate = m.node("Sigmoid", m.node("Conv", m.node("GlobalAveragePool", x), m.weights(4, 4, 1, 1)))
    x = m.node("Mul", x, gate)
    return m.node("Reshape", x, m.ints(-1, 4 * 10 * 5))


def dense_block(m):
    x = "x"
    for channels in (3, 7, 11):
        y = m.node("Relu", m.node("Conv", x, m.weights(4, channels, 3, 3), pads=[1, 1, 1, 1]))
        x = m.node("Concat", x, y, axis=1)
    x = m.node("Transpose", x, perm=[0, 2, 3, 1])
    x = m.node("MatMul", x, m.weights(15, 2))
    return m.node("Softmax", x, axis=2)


def old(m):
    """Operators as they were before version 13."""
    x = m.node("Unsqueeze", m.node("Clip", "x", min=-0.5, max=0.5), axes=[1])
    x = m.node("Conv", x, m.weights(3, 1, 4))
    x = m.node("Dropout", x, ratio=0.5)
    return m.node("Softmax", x)


def fixed_rows(m):
    x = m.node("Conv", "x", m.weights(4, 3, 4, 4), strides=[4, 4])
    x = m.node("Reshape", m.node("Div", x, m.tensor([1], [1.7])), m.ints(ROWS, -1))
    return m.node("Gemm", x, m.weights(36, 3))


def hanging(m):
    x = m.node("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    x = m.node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
    return m.node("Flatten", x)


def channels_softmax(m):
    x = m.node("Conv", "x", m.weights(5, 3, 3, 3))
    return m.node("LogSoftmax", m.node("Mul", m.node("Softmax", x, axis=1), x), axis=-1)


IMAGE = (3, 12, 12)
NETS = [(mlp, (20,), 17), (typed, (20,), 17), (cnn, IMAGE, 13), (residual, IMAGE, 17), (series, (2, 40), 17),
        (depthwise, IMAGE, 17), (dense_block, IMAGE, 17), (old, (12,), 10), (fixed_rows, IMAGE, 17), (hanging, IMAGE, 17),
        (channels_softmax, IMAGE, 17), (mlp, (20,), 9), (residual, IMAGE, 12)]


def floats(path):
    out = array("f")
    with open(path, "rb") as f:
        out.frombytes(f.read())
    return out


class Nets(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def run_tool(self, *arguments):
        return subprocess.run([RUN, *arguments], capture_output=True, text=True)

    def make(self, index):
        build, shape, opset = NETS[index]
        m = Maker(shape, opset, seed=index)
        output = build(m)
        m.save(self.path("%d.onnx" % index), output, rows=ROWS if build is fixed_rows else None)
        width = 1
        for d in shape:
            width *= d
        with open(self.path("%d.rows" % index), "wb") as f:
            array("f", [m.random.gauss(0, 1) for _ in range(ROWS * width)]).tofile(f)

    def test_outputs_are_those_of_onnx_runtime(self):
        if not NODE or not os.path.isdir(os.path.join(SOURCE, "tests/node/node_modules/onnxruntime-node")):
            self.skipTest("onnxruntime-node is not installed")
        lines = []
        for i, (build, shape, _) in enumerate(NETS):
            self.make(i)
            lines.append(" ".join([self.path("%d.onnx" % i), self.path("%d.rows" % i), self.path("%d.theirs" % i)]
                                  + [str(d) for d in shape]))
        with open(self.path("list"), "w") as f:
            f.write("\n".join(lines))
        r = subprocess.run([NODE, os.path.join(SOURCE, "tests/node/onnx.mjs"), self.path("list")], capture_output=True,
                           text=True)
        self.assertEqual(r.returncode, 0, r.stderr)
        for i, (build, _, opset) in enumerate(NETS):
            with self.subTest(net=build.__name__, opset=opset):
                r = self.run_tool(self.path("%d.onnx" % i), self.path("%d.rows" % i), self.path("%d.ours" % i))
                self.assertEqual(r.returncode, 0, r.stderr)
                ours, theirs = floats(self.path("%d.ours" % i)), floats(self.path("%d.theirs" % i))
                self.assertEqual(len(ours), len(theirs))
                self.assertGreater(len(ours), 0)
                scale = max(abs(v) for v in theirs)
                worst = max(abs(a - b) for a, b in zip(ours, theirs))
                self.assertLess(worst, 1e-4 * scale)
                self.assertGreater(max(theirs) - min(theirs), 1e-3)

    def test_what_is_not_a_net_is_told_in_one_line(self):
        with open(self.path("rows"), "wb") as f:
            f.write(struct.pack("<f", 1))
        with open(self.path("text.onnx"), "w") as f:
            f.write("not a model")
        for path, says in ((self.path("text.onnx"), ""), (self.path("absent.onnx"), "No such file"),
                           (self.dir, "no file")):
            r = self.run_tool(path, self.path("rows"), self.path("out"))
            self.assertEqual(r.returncode, 1)
            self.assertEqual(len(r.stderr.strip().split("\n")), 1)
            self.assertIn(says, r.stderr)


if __name__ == "__main__":
    sys.exit(unittest.main())
