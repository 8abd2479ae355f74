"""A small language model that a test trains (a GRU over words, digits one by one), served like OpenAI's completions: with echo,
log probabilities and the likeliest tokens at each place. Not a test by itself."""
import http.server
import json
import re
import threading

import torch

torch.set_num_threads(1)
LISTED = 5


def split(text):
    return re.findall(r" ?[A-Za-z]+| ?\d|.", text)


class Model(torch.nn.Module):
    def __init__(self, words, width=128, seed=1):
        super().__init__()
        torch.manual_seed(seed)
        self.words = ["\n"] + sorted(set(words) - {"\n"})
        self.index = {w: i for i, w in enumerate(self.words)}
        self.embed = torch.nn.Embedding(len(self.words), 48)
        self.gru = torch.nn.GRU(48, width, batch_first=True)
        self.out = torch.nn.Linear(width, len(self.words))

    def encode(self, text):
        """A line: its beginning and its end are line breaks, and so is a word that was never seen."""
        return [0] + [self.index.get(w, 0) for w in split(text)]

    def forward(self, batch, state=None):
        hidden, state = self.gru(self.embed(batch), state)
        return torch.log_softmax(self.out(hidden), -1), state

    def score(self, text):
        """Of each token of the text: its log probability, and the likeliest in its place."""
        ids = self.encode(text)
        with torch.no_grad():
            logs = self(torch.tensor([ids[:-1]]))[0][0]
        told, listed = [], []
        for at, want in enumerate(ids[1:]):
            top = torch.topk(logs[at], LISTED)
            told.append(float(logs[at][want]))
            listed.append({self.words[int(i)]: float(v) for v, i in zip(top.values, top.indices)})
        return told, listed

    def go_on(self, text, count):
        out, ids = "", self.encode(text)
        with torch.no_grad():
            logs, state = self(torch.tensor([ids]))
            for _ in range(count):
                best = int(logs[0, -1].argmax())
                if best == 0:
                    break
                out += self.words[best]
                logs, state = self(torch.tensor([[best]]), state)
        return out


def train(texts, epochs, words, width=128, rate=4e-3, batch=16, seed=1):
    """words: all that it knows, those of texts among them."""
    model = Model(words, width, seed)
    longest = max(len(split(t)) for t in texts) + 2
    rows = torch.zeros(len(texts), longest, dtype=torch.long)
    weights = torch.zeros(len(texts), longest - 1)
    for i, text in enumerate(texts):
        ids = model.encode(text) + [0]
        rows[i, :len(ids)] = torch.tensor(ids)
        weights[i, :len(ids) - 1] = 1
    optimiser = torch.optim.Adam(model.parameters(), rate)
    draw = torch.Generator().manual_seed(seed)
    for epoch in range(epochs):
        for group in optimiser.param_groups:
            group["lr"] = rate * (1 - 0.9 * epoch / epochs)
        for pick in torch.randperm(len(texts), generator=draw).split(batch):
            logs, _ = model(rows[pick, :-1])
            loss = torch.nn.functional.nll_loss(logs.flatten(0, 1), rows[pick, 1:].flatten(), reduction="none")
            loss = (loss * weights[pick].flatten()).sum() / weights[pick].sum()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
    return model


class Server:
    def __init__(self, model, chat=None):
        """chat: a function from a question to an answer, at /v1/chat/completions."""
        lock = threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    body = json.dumps(talk(asked) if self.path.endswith("/chat/completions") else complete(asked)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def talk(asked):
            said = chat([m for m in asked["messages"] if m["role"] == "user"][-1]["content"])
            return {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}]}

        def complete(asked):
            prompt, most = asked["prompt"], int(asked.get("max_tokens", 16))
            said = model.go_on(prompt, most)
            choice = {"index": 0, "finish_reason": "stop", "text": said}
            if asked.get("echo"):
                told, listed = model.score(prompt + said)
                choice["text"] = prompt + said
                tokens = split(prompt + said)
                choice["logprobs"] = {"tokens": tokens, "token_logprobs": [None, *told[1:]], "top_logprobs": [None, *listed[1:]],
                                      "text_offset": [sum(map(len, tokens[:i])) for i in range(len(tokens))]}
            return {"choices": [choice]}

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
