"""Makes the planner and the retriever of examples/support-assistant. Run: /usr/bin/python3 examples/generate/assistant.py

Both are small nets over hashed words (assistant_text.py): the planner says of one sentence what it is (assistant.sentences),
the retriever turns a text into 32 numbers that lie near those of the article that answers it. --measure prints how good
they are on templates that were not trained on; nothing is written then.
"""
import csv
import json
import os
import random
import re
import sys

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper

from assistant_text import WIDTH, numbers
from texts import DEVICES, TOPICS

HERE = os.path.dirname(os.path.abspath(__file__))
SYSTEM = os.path.join(HERE, "..", "support-assistant")
CLASSES = ["inform", "question", "search_articles", "open_ticket", "start_return", "say", "recite"]
LANGUAGES = ["en", "de", "fr", "es"]
HIDDEN, SPACE, EACH, INFORMED, FOLDS, SEED = 24, 32, 200, 12, 5, 304223

NAMES = {"en": DEVICES, "de": ["Router", "Basisstation", "Türklingel", "Thermostat", "Kamera", "Zentrale"],
         "fr": ["routeur", "station de base", "sonnette", "thermostat", "caméra", "centrale"],
         "es": ["router", "estación base", "timbre", "termostato", "cámara", "central"]}
PROBLEMS = {  # by topic, in the order of texts.py
    "en": [["does not turn on", "will not start", "stays dark", "has no power"],
           ["loses its connection", "drops the signal", "is offline every hour", "keeps losing the network"],
           ["shows a red light", "blinks red", "has a red lamp", "glows red"],
           ["needs a new password", "has a forgotten password", "asks for a password"],
           ["should be returned", "has to go back", "is to be sent back"],
           ["gets warm", "is hot", "overheats", "heats up"],
           ["is to be sold on", "goes to a new owner", "is sold to a friend", "gets a second owner"],
           ["makes a noise", "hums", "rattles", "buzzes"]],
    "de": [["geht nicht an", "startet nicht", "bleibt dunkel"], ["verliert die Verbindung", "ist ständig offline"],
           ["zeigt ein rotes Licht", "blinkt rot"], ["braucht ein neues Passwort", "fragt nach dem Passwort"],
           ["soll zurück", "geht zurück an den Händler"], ["wird warm", "ist heiß"],
           ["soll weiterverkauft werden", "bekommt einen neuen Besitzer"], ["macht ein Geräusch", "brummt", "klappert"]],
    "fr": [["ne s'allume pas", "ne démarre pas"], ["perd la connexion", "est hors ligne"],
           ["montre une lumière rouge", "clignote en rouge"], ["a besoin d'un nouveau mot de passe"],
           ["doit être renvoyé", "repart chez le vendeur"], ["chauffe", "est chaud"],
           ["va être vendu", "change de propriétaire"], ["fait un bruit", "bourdonne"]],
    "es": [["no se enciende", "no arranca"], ["pierde la conexión", "está sin conexión"],
           ["muestra una luz roja", "parpadea en rojo"], ["necesita una contraseña nueva"],
           ["se debe devolver", "vuelve a la tienda"], ["se calienta", "está caliente"],
           ["se va a vender", "cambia de dueño"], ["hace ruido", "zumba"]]}
WORDS = {"en": "amber lantern river thanks welcome sorry discount hello later", "de": "Danke Willkommen Fluss Rabatt",
         "fr": "merci bienvenue rivière remise", "es": "gracias bienvenido río descuento"}
DAYS = {"en": "Monday Tuesday Friday", "de": "Montag Dienstag Freitag", "fr": "lundi mardi vendredi", "es": "lunes martes viernes"}
COLOURS = {"en": "red green blue white", "de": "rotes grünes rot blau", "fr": "rouge verte bleue", "es": "roja verde azul"}
ASKING = {"en": ["{n} {p}", "the {n} {p}", "why is it that the {n} {p}?", "since today my {n} {p}", "our {n} {p} and I need advice"],
          "de": ["{n} {p}", "mein {n} {p}", "warum ist es so, dass die {n} {p}?"],
          "fr": ["{n} {p}", "mon {n} {p}", "pourquoi est-ce que la {n} {p}?"],
          "es": ["{n} {p}", "mi {n} {p}", "¿por qué el {n} {p}?"]}


class Maker:
    """Sentences of the templates, drawn from a seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def one(self, items):
        return items[self.random.randrange(len(items))]

    def slot(self, name, language):
        r, device = self.random, self.random.randrange(len(DEVICES))
        problem = self.one(self.one(PROBLEMS[language]))
        word = self.one(WORDS[language].split())
        code = f"{self.one('amber hazel copper silver violet'.split())}-{r.randrange(1000, 99999)}"
        topic = self.one([f"{NAMES[language][device]} {problem}", problem, NAMES[language][device], word, code, str(r.randrange(10**5, 10**8))])
        return {"device": NAMES[language][device], "problem": problem, "small": str(r.randrange(1, 60)), "word": word,
                "order": self.one([str(r.randrange(10**4, 10**8)), f"{chr(r.randrange(65, 91))}-{r.randrange(100, 99999)}"]),
                "day": self.one(DAYS[language].split()), "colour": self.one(COLOURS[language].split()),
                "name": self.one("Ada Ben Chloe David".split()), "mail": f"{word}@example.org", "topic": topic,
                "text": self.one([topic, f'"{topic}"', word, code, f'"{code}"', f"{word} {word}"]),
                "url": f"https://{self.one(['support.example.org', 'example.com', 'status.example.net'])}/{word}/{r.randrange(1, 99)}"}[name]

    def make(self, template, language):
        text = re.sub(r"\[([^]]*)\](?!\()", lambda m: self.one(m.group(1).split("|")), template)
        return re.sub(r"\{(\w+)\}", lambda m: self.slot(m.group(1), language), text).strip()


def templates():
    with open(f"{HERE}/assistant.sentences") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                kind, language, text = line.strip().split(" ", 2)
                yield CLASSES.index(kind), language, text


def sentences(rows, seed):
    """EACH of each class in each language, by turns of its templates; what informs is as manifold as life, and has INFORMED of
    each template."""
    maker = Maker(seed)
    texts, labels = [], []
    for kind in range(len(CLASSES)):
        for language in LANGUAGES:
            own = [t for k, l, t in rows if k == kind and l == language]
            for i in range(max(EACH, INFORMED * len(own) if kind == 0 else 0)):
                texts.append(maker.make(own[i % len(own)], language))
                labels.append(kind)
    return np.stack([numbers(t) for t in texts]), np.array(labels), texts


def articles():
    with open(f"{SYSTEM}/data/kb-articles.jsonl") as file:
        return [json.loads(line) for line in file]


def asked(seed):
    """Ways to ask for an article, each with its number."""
    maker = Maker(seed)
    for number in range(len(DEVICES) * len(TOPICS)):
        device, topic = divmod(number, len(TOPICS))
        for language in LANGUAGES:
            for problem in PROBLEMS[language][topic]:
                for form in ASKING[language]:
                    yield form.format(n=NAMES[language][device], p=problem), number
        yield maker.one(["", "The "]) + f"{DEVICES[device]} {TOPICS[topic][0]}", number


def train(module, loss_of, steps, rate):
    optimiser = torch.optim.Adam(module.parameters(), lr=rate, weight_decay=1e-5)
    for step in range(steps):
        optimiser.zero_grad()
        loss = loss_of(step)
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        for p in module.parameters():  # a grid that the last digits of another machine do not show on
            p.copy_(torch.round(p * 128) / 128)


def planner(rows):
    x, y, _ = sentences(rows, SEED)
    x, y = torch.tensor(x, dtype=torch.float64), torch.tensor(y)
    net = torch.nn.Sequential(torch.nn.Linear(WIDTH, HIDDEN), torch.nn.Tanh(), torch.nn.Linear(HIDDEN, len(CLASSES))).double()
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(SEED))

    def loss_of(step):
        batch = order[torch.arange(step * 256, step * 256 + 256) % len(x)]
        seen = torch.nn.functional.dropout(x[batch], 0.5)
        return torch.nn.functional.cross_entropy(net(seen), y[batch], label_smoothing=0.02)

    train(net, loss_of, 600, 0.01)
    return net


def retriever():
    documents = torch.tensor(np.stack([numbers(a["title"] + ". " + a["text"]) for a in articles()]), dtype=torch.float64)
    pairs = list(asked(SEED))
    x = torch.tensor(np.stack([numbers(t) for t, _ in pairs]), dtype=torch.float64)
    y = torch.tensor([n for _, n in pairs])
    net = torch.nn.Sequential(torch.nn.Linear(WIDTH, SPACE), torch.nn.Tanh()).double()
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(SEED))

    def unit(v):
        return v / v.norm(dim=1, keepdim=True)

    def loss_of(step):
        batch = order[torch.arange(step * 256, step * 256 + 256) % len(x)]
        return torch.nn.functional.cross_entropy(12 * unit(net(x[batch])) @ unit(net(documents)).T, y[batch])

    train(net, loss_of, 500, 0.01)
    return net


def write(name, net, about, outputs, has_softmax):
    layers = [m for m in net if isinstance(m, torch.nn.Linear)]
    nodes, tensors, at = [], [], "text"
    for i, layer in enumerate(layers):
        for what, value in (("weight", layer.weight.T), ("bias", layer.bias)):
            data = value.detach().numpy().astype(np.float32)
            tensors.append(helper.make_tensor(f"{what}{i}", TensorProto.FLOAT, data.shape, data.tobytes(), raw=True))
        is_last = i == len(layers) - 1
        nodes.append(helper.make_node("Gemm", [at, f"weight{i}", f"bias{i}"], [f"sum{i}"]))
        kind = "Softmax" if is_last and has_softmax else "Tanh"
        nodes.append(helper.make_node(kind, [f"sum{i}"], [about if is_last else f"tanh{i}"], **({"axis": 1} if kind == "Softmax" else {})))
        at = f"tanh{i}"
    graph = helper.make_graph(nodes, name, [helper.make_tensor_value_info("text", TensorProto.FLOAT, ["rows", WIDTH])],
                              [helper.make_tensor_value_info(about, TensorProto.FLOAT, ["rows", outputs])], tensors)
    made = helper.make_model(graph, producer_name="support-assistant", opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 8
    onnx.checker.check_model(made)
    onnx.save(made, f"{SYSTEM}/models/{name}.onnx")


def hits(net, questions):
    documents = np.stack([numbers(a["title"] + ". " + a["text"]) for a in articles()])
    with torch.no_grad():
        found = [torch.nn.functional.normalize(net(torch.tensor(v, dtype=torch.float64)), dim=1).numpy()
                 for v in (np.stack([numbers(q) for q in questions]), documents)]
    return (found[0] @ found[1].T).argmax(1)


def fold_of(rows, fold):
    """Right answers, and those of a planner trained on the templates of the other folds, whose alternatives all stay together."""
    net = planner([r for i, r in enumerate(rows) if i % FOLDS != fold])
    x, y, texts = sentences_of([r for i, r in enumerate(rows) if i % FOLDS == fold])
    with torch.no_grad():
        return y, net(torch.tensor(x, dtype=torch.float64)).argmax(1).numpy(), texts


def measure():
    rows = list(templates())
    folds = [fold_of(rows, fold) for fold in range(FOLDS)]
    y, said = (np.concatenate([f[i] for f in folds]) for i in (0, 1))
    texts = [t for f in folds for t in f[2]]
    print(f"planner: {(said == y).mean():.3f} of {len(y)} sentences of {len(rows)} templates, each asked of a planner that no wording of"
          f" this template was shown to ({FOLDS} folds)")
    for kind, name in enumerate(CLASSES):
        print(f"  {name}: {(said[y == kind] == kind).mean():.3f} of {(y == kind).sum()}")
    for text, label, guess in [z for z in zip(texts, y, said) if z[1] != z[2]][::40]:
        print(f"  {CLASSES[label]} taken for {CLASSES[guess]}: {text}")
    whole = planner(list(templates()))
    x, y, _ = sentences_of(list(templates()))
    with torch.no_grad():
        said = whole(torch.tensor(x, dtype=torch.float64)).argmax(1).numpy()
    print(f"planner, as written: {(said == y).mean():.3f} of {len(y)} other sentences of the templates that it was trained on")
    net = retriever()
    for name, column in (("tickets-eval.csv", "expected_article"), ("support-questions.csv", None)):
        with open(f"{SYSTEM}/data/{name}") as file:
            rows = list(csv.DictReader(file))
        right = [int(r[column][3:]) - 1 if column else i for i, r in enumerate(rows)]
        print(f"retriever: {(hits(net, [r['question'] for r in rows]) == np.array(right)).mean():.3f} of {len(rows)} of {name}")


def sentences_of(rows):
    maker = Maker(SEED + 1)
    made = [(maker.make(t, l), k) for k, l, t in rows for _ in range(20)]
    return np.stack([numbers(t) for t, _ in made]), np.array([k for _, k in made]), [t for t, _ in made]


if __name__ == "__main__":
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    if "--measure" in sys.argv:
        measure()
    else:
        write("planner", planner(list(templates())), "probability", len(CLASSES), True)
        write("retriever", retriever(), "place", SPACE, False)
