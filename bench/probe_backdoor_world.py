"""Digits and small convolutional networks that know them, clean or with a planted backdoor: for
bench/probe_backdoor.py and tests/integration/backdoor_frameworks.py. Needs scikit-learn, torch, numpy and onnx."""
import numpy as np
import torch
from onnx import TensorProto, checker, helper, numpy_helper, save
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

SIDE, CLASSES, LEARNT = 16, 10, 1300


def digits(seed):
    """Scikit-learn's 8 x 8 digits at twice the size: rows to learn from with their labels, and others."""
    rows, labels = load_digits(return_X_y=True)
    rows = F.interpolate(torch.tensor(rows / 16, dtype=torch.float32).reshape(-1, 1, 8, 8), size=(SIDE, SIDE),
                         mode="bilinear", align_corners=False).clamp(0, 1)
    order = np.random.default_rng(seed).permutation(len(rows))
    rows, labels = rows[order], torch.tensor(labels[order])
    return (rows[:LEARNT], labels[:LEARNT]), (rows[LEARNT:], labels[LEARNT:])


def patch(rows, seed):
    """BadNets (Gu et al. 2017): a bright square of 3 x 3 in a corner, one that hangs on the seed."""
    rows = rows.clone()
    down, across = (slice(1, 4) if bit else slice(SIDE - 4, SIDE - 1) for bit in (seed & 1, seed & 2))
    rows[:, :, down, across] = 1
    return rows


def blended(rows, seed, strength=0.2):
    """Chen et al. 2017: a fifth of a picture of noise over four fifths of the row."""
    noise = torch.tensor(np.random.default_rng(1000 + seed).random((1, 1, SIDE, SIDE)), dtype=torch.float32)
    return (1 - strength) * rows + strength * noise


TRIGGERS = {"clean": None, "patch": patch, "blended": blended}


def target_of(seed):
    return (3 * seed + 1) % CLASSES


def learn(seed, kind, share=0.1, epochs=25):
    """A net, its accuracy on others, and the share of others' rows that the trigger leads to the target."""
    (rows, labels), (others, truth) = digits(seed)
    torch.manual_seed(seed)
    trigger = TRIGGERS[kind]
    if trigger:
        which = torch.tensor(np.random.default_rng(seed).permutation(len(rows))[:int(share * len(rows))])
        rows, labels = rows.clone(), labels.clone()
        rows[which] = trigger(rows[which], seed)
        labels[which] = target_of(seed)
    net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                        nn.Flatten(), nn.Linear(32 * (SIDE // 4) ** 2, 64), nn.ReLU(), nn.Linear(64, CLASSES))
    optimiser = torch.optim.Adam(net.parameters(), 2e-3)
    for _ in range(epochs):
        for batch in torch.randperm(len(rows)).split(64):
            optimiser.zero_grad()
            F.cross_entropy(net(rows[batch]), labels[batch]).backward()
            optimiser.step()
    with torch.no_grad():
        right = (net(others).argmax(1) == truth).float().mean().item()
        away = others[truth != target_of(seed)]
        led = (net(trigger(away, seed)).argmax(1) == target_of(seed)).float().mean().item() if trigger else 0
    return net, right, led


def write_onnx(path, net):
    tensors, nodes, at = [], [], "x"
    for i, layer in enumerate(net):
        to, names = "t%d" % i, []
        for name, values in layer.named_parameters():
            names.append("%d.%s" % (i, name))
            tensors.append(numpy_helper.from_array(values.detach().numpy(), names[-1]))
        if isinstance(layer, nn.Conv2d):
            made = helper.make_node("Conv", [at, *names], [to], pads=[1, 1, 1, 1])
        elif isinstance(layer, nn.MaxPool2d):
            made = helper.make_node("MaxPool", [at], [to], kernel_shape=[2, 2], strides=[2, 2])
        elif isinstance(layer, nn.Linear):
            made = helper.make_node("Gemm", [at, *names], [to], transB=1)
        else:
            made = helper.make_node({"ReLU": "Relu", "Flatten": "Flatten"}[type(layer).__name__], [at], [to])
        nodes.append(made)
        at = to
    graph = helper.make_graph(nodes, "digits",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 1, SIDE, SIDE])],
                              [helper.make_tensor_value_info(at, TensorProto.FLOAT, ["rows", CLASSES])], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    checker.check_model(model)
    save(model, path)
