"""Answers one question: retrieve, rerank, ask the model."""
import json
import sys

import yaml


def load_config(path):
    with open(path) as file:
        return yaml.safe_load(file)


def retrieve(articles, question, top_k):
    words = set(question.lower().split())
    scored = sorted(articles, key=lambda a: -len(words & set(a["text"].lower().split())))
    return scored[:top_k]


def main(config_path, question):
    config = load_config(config_path)
    with open(config["retrieval"]["articles"]) as file:
        articles = [json.loads(line) for line in file]
    for article in retrieve(articles, question, config["retrieval"]["top_k"]):
        print(article["id"], article["title"])


if __name__ == "__main__":
    main(sys.argv[1], " ".join(sys.argv[2:]))
