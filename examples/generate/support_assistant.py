"""Makes the binary parts of examples/support-assistant. Run: /usr/bin/python3 examples/generate/support_assistant.py

The planted reranker really runs a command when a loader unpickles it; the command only prints a line.
Its good version goes to examples/known-good/, outside the described system.
"""
import os
import struct

import numpy as np
import torch

from formats import write_gguf, write_safetensors

HERE = os.path.dirname(os.path.abspath(__file__))
SYSTEM = os.path.join(HERE, "..", "support-assistant")
GOOD = os.path.join(HERE, "..", "known-good")
RNG = np.random.default_rng(304223)


def q4_0(weights):
    """ggml Q4_0: blocks of 32 values, one f16 scale, 16 bytes of 4-bit values."""
    out = []
    for block in weights.reshape(-1, 32):
        peak = block[np.argmax(np.abs(block))]
        scale = peak / -8.0
        inverse = 1.0 / scale if scale else 0.0
        q = np.clip(block * inverse + 8.5, 0, 15).astype(np.uint8)
        out.append(struct.pack("<e", scale) + (q[:16] | (q[16:] << 4)).tobytes())
    return b"".join(out)


def assistant():
    width, vocabulary, layers = 64, 96, 2
    tokens = ["<unk>", "<s>", "</s>"] + [chr(code) for code in range(32, 125)]
    metadata = {
        "general.architecture": "llama",
        "general.name": "support-assistant",
        "general.file_type": 2,
        "general.license": "apache-2.0",
        "llama.context_length": 2048,
        "llama.embedding_length": width,
        "llama.block_count": layers,
        "llama.feed_forward_length": 128,
        "llama.attention.head_count": 4,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.dimension_count": 16,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": [0.0] * vocabulary,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.chat_template":
            "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] }}"
            "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}",
    }

    def matrix(rows, columns):
        return q4_0(RNG.normal(0, 0.05, (rows, columns)).astype(np.float32))

    def norm():
        return np.ones(width, np.float32).tobytes()

    tensors = [("token_embd.weight", [width, vocabulary], 2, matrix(vocabulary, width))]
    for i in range(layers):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            tensors.append((f"blk.{i}.{name}.weight", [width, width], 2, matrix(width, width)))
        tensors.append((f"blk.{i}.ffn_gate.weight", [width, 128], 2, matrix(128, width)))
        tensors.append((f"blk.{i}.ffn_up.weight", [width, 128], 2, matrix(128, width)))
        tensors.append((f"blk.{i}.ffn_down.weight", [128, width], 2, matrix(width, 128)))
        tensors.append((f"blk.{i}.attn_norm.weight", [width], 0, norm()))
        tensors.append((f"blk.{i}.ffn_norm.weight", [width], 0, norm()))
    tensors.append(("output_norm.weight", [width], 0, norm()))
    tensors.append(("output.weight", [width, vocabulary], 2, matrix(vocabulary, width)))
    write_gguf(f"{SYSTEM}/models/assistant-q4.gguf", metadata, tensors)


def embedder():
    tensors = []
    for i in range(4):
        data = RNG.normal(0, 0.05, (32, 32)).astype(np.float32)
        tensors.append((f"encoder.{i}.weight", "F32", data.shape, data.tobytes()))
        tensors.append((f"encoder.{i}.bias", "F32", (32,), np.zeros(32, np.float32).tobytes()))
    write_safetensors(f"{SYSTEM}/models/embedder.safetensors", tensors, {"format": "pt"})


class Planted:
    """What an attacker adds to a state dict."""

    def __reduce__(self):
        return os.system, ("echo tutela demo: this ran because the model file was loaded",)


def reranker():
    torch.manual_seed(304223)
    model = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1))
    state = model.state_dict()
    torch.save(state, f"{GOOD}/reranker.pt")
    state = dict(state)
    state["_metadata"] = Planted()
    torch.save(state, f"{SYSTEM}/models/reranker.pt")


if __name__ == "__main__":
    for folder in (f"{SYSTEM}/models", GOOD):
        os.makedirs(folder, exist_ok=True)
    assistant()
    embedder()
    reranker()
