"""A small convolutional net on digits of 28 x 28, and PGD on it, in torch: for bench/probe_evade.py and for
tests/integration/nets_frameworks.py."""
import torch
from torch import nn


def train(x, y, rounds=3):
    torch.manual_seed(1)
    torch.set_num_threads(1)
    net = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
                        nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(784, 10))
    step = torch.optim.Adam(net.parameters(), 2e-3)
    for _ in range(rounds):
        order = torch.randperm(len(x))
        for at in range(0, len(x), 64):
            pick = order[at:at + 64]
            step.zero_grad()
            nn.functional.cross_entropy(net(x[pick]), y[pick]).backward()
            step.step()
    return net.eval()


def slope(net, x, y):
    x = x.clone().requires_grad_(True)
    z = net(x)
    loss = nn.functional.cross_entropy(z, y, reduction="none")
    return torch.autograd.grad(loss.sum(), x)[0], loss.detach(), z.argmax(1) != y


def pgd(net, x, y, size, steps=40):
    at = (x + size * (2 * torch.rand_like(x) - 1)).clamp(0, 1)
    wrong = torch.zeros(len(x), dtype=torch.bool)
    for _ in range(steps):
        g, _, w = slope(net, at, y)
        wrong |= w
        at = torch.max(torch.min(at + 2.5 * size / steps * g.sign(), x + size), x - size).clamp(0, 1)
    return wrong | (net(at).argmax(1) != y)


def export(net, x, path):
    torch.onnx.export(net, x[:1], path, input_names=["x"], output_names=["y"], dynamic_axes={"x": {0: "n"}, "y": {0: "n"}})
