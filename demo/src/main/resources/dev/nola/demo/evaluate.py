"""Evaluates the merged model in Transformers, and base and LoRA in PEFT: prints two accuracies as JSON.

evaluate.py MERGED BASE LORA TEXTS COUNT MAX_TOKENS; TEXTS has the columns text and label, without quoting.
"""

import json
import sys

try:
    import torch
    from peft import PeftModel
    from tokenizers import Tokenizer
    from transformers import AutoModelForSequenceClassification
    from transformers.utils import logging
except ImportError as error:
    print(json.dumps({"missing": error.name}))
    sys.exit(0)

merged, base, lora, texts, count, max_tokens = sys.argv[1:]
logging.set_verbosity_error()
logging.disable_progress_bar()
torch.set_num_threads(2)
with open(texts, encoding="utf-8") as file:
    rows = [line.rstrip("\n").split("\t") for line in file]
text, label = rows[0].index("text"), rows[0].index("label")
rows = rows[1 : 1 + int(count)]
tokenizer = Tokenizer.from_file(f"{merged}/tokenizer.json")
tokenizer.no_padding()
tokenizer.enable_truncation(int(max_tokens))


def accuracy(model):
    """The share of texts whose class, by its name in the model's config, is right."""
    names = model.config.id2label
    hits = 0
    for start in range(0, len(rows), 50):
        batch = rows[start : start + 50]
        tokens = [tokenizer.encode(row[text]).ids for row in batch]
        longest = max(map(len, tokens))
        inputs = torch.tensor([ids + [0] * (longest - len(ids)) for ids in tokens])
        mask = torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids in tokens])
        with torch.no_grad():
            found = model(input_ids=inputs, attention_mask=mask).logits.argmax(-1)
        hits += sum(names[int(number)] == row[label] for number, row in zip(found, batch))
    return hits / len(rows)


def load(folder, **labels):
    return AutoModelForSequenceClassification.from_pretrained(folder, **labels).float().eval()


whole = load(merged)
labels = {"id2label": whole.config.id2label, "label2id": whole.config.label2id}
adapted = PeftModel.from_pretrained(load(base, **labels), lora).eval()
print(json.dumps({"merged": accuracy(whole), "lora": accuracy(adapted)}))
