"""Compares ways to store fewer bytes of coefficients, some of which adapter format 1.0 cannot express.

    python sharing.py llama DATA OUT        a tiny Llama on E2E:  DATA has stories260k-hf/ and e2e/
    python sharing.py minilm DATA OUT       MiniLM on WordNet's glosses:  DATA has minilm/ and glosses/

Every way has about as many bytes of codes, of 4 bits, rounded after training. OUT gets one JSON object a run; finished runs are skipped.
Needs torch, transformers and safetensors; one thread. It is a prototype: bases are PyTorch's random signs, codes have 15 levels with zero
instead of 16 without, and training is like that of `nola train`, but not equal to it.
"""

import gzip
import json
import math
import pathlib
import sys

import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoModel, AutoTokenizer

BITS = 4


class Store:
    """Coefficients of all layers, as some vectors that are quantized each by itself."""

    def __init__(self, layers, way, k, rank, seed):
        """layers: (kind, depth) of each adapted matrix; way: which of them share; k: coefficients a factor sees."""
        self.k = k
        self.way = way
        generator = torch.Generator().manual_seed(seed)
        groups = {}
        self.index = {}
        self.scales = []  # of each group, which others have the same scale
        for layer, (kind, depth) in layers.items():
            key = {
                "own": (kind, depth),
                "kindscale": (kind, depth),
                "onescale": (kind, depth),
                "pairs": (kind, depth // 2),
                "kind": (kind,),
                "pool": (),
            }[way]
            if key not in groups:
                self.scales.append({"kindscale": kind, "onescale": ""}.get(way, key))
            self.index[layer] = groups.setdefault(key, len(groups))
        self.vectors = nn.ParameterList()
        if way == "pool":
            # As many coefficients as all layers would have of their own if each saw a quarter.
            self.size = 2 * len(layers) * (k // 4)
            # Small, since β cannot be zero at first where both sides share a pool.
            self.vectors.append(nn.Parameter(torch.randn(self.size, generator=generator) * 0.1))
            self.chosen = {
                (layer, side): torch.randint(self.size, (k,), generator=generator) for layer in layers for side in "ab"
            }
        else:
            for _ in groups:
                self.vectors.append(nn.Parameter(torch.randn(k, generator=generator)))
                self.vectors.append(nn.Parameter(torch.zeros(k)))

    def values(self, layer, side, vectors):
        """Returns what a factor's basis is combined with; vectors: the coefficients, or their rounded values."""
        if self.way == "pool":
            return vectors[0][self.chosen[layer, side]]
        return vectors[2 * self.index[layer] + (side == "b")]

    def rounded(self):
        """Returns the vectors after rounding, and their codes; all α of one scale are rounded together, and all β."""
        if self.way == "pool":
            values, codes = quantized(self.vectors[0])
            return [values], [codes]
        rounded = [None] * len(self.vectors)
        codes = []
        for scale in dict.fromkeys(self.scales):
            for side in (0, 1):
                members = [2 * group + side for group, other in enumerate(self.scales) if other == scale]
                values, some = quantized(torch.cat([self.vectors[member] for member in members]))
                codes.append(some)
                for member, part in zip(members, values.split(self.k)):
                    rounded[member] = part
        return rounded, codes


@torch.no_grad()
def quantized(vector):
    """Rounds to multiples of the step with the least squared error of 64 tried, symmetric around zero; returns values and codes."""
    largest = vector.abs().max()
    if largest == 0:
        return vector.clone(), torch.zeros_like(vector, dtype=torch.int64)
    top = 2 ** (BITS - 1) - 1
    best = None
    for part in torch.linspace(0.3, 1, 64):
        step = largest * part / top
        codes = (vector / step).round().clamp(-top, top)
        error = ((codes * step - vector) ** 2).sum()
        if best is None or error < best[0]:
            best = (error, codes * step, codes.long())
    return best[1], best[2]


class Adapted(nn.Module):
    """A frozen linear layer plus c/√(r·in)·A·B, c = 1."""

    def __init__(self, base, rank, k, seed):
        super().__init__()
        self.base = base
        out, inputs = base.weight.shape
        generator = torch.Generator().manual_seed(seed)
        signs = lambda length: (torch.randint(2, (k, length), generator=generator) * 2 - 1).float() / math.sqrt(k)
        self.basis = {"a": signs(out * rank), "b": signs(rank * inputs)}
        self.shape = {"a": (out, rank), "b": (rank, inputs)}
        self.gain = 1 / math.sqrt(rank * inputs)
        self.coefficients = {}

    def forward(self, x):
        a, b = [(self.coefficients[side] @ self.basis[side]).view(self.shape[side]) for side in "ab"]
        return self.base(x) + nn.functional.linear(nn.functional.linear(x, b), a) * self.gain


def adapt(model, names, way, k, rank, seed):
    """Replaces the named linear layers; returns the layers by name, and their store."""
    kinds = {name: (name.rsplit(".", 1)[1], int(next(part for part in name.split(".") if part.isdigit()))) for name in names}
    store = Store(kinds, way, k, rank, seed)
    layers = {}
    for i, name in enumerate(names):
        parent, child = name.rsplit(".", 1)
        layers[name] = Adapted(model.get_submodule(parent).get_submodule(child), rank, k, seed * 1000 + i)
        setattr(model.get_submodule(parent), child, layers[name])
    return layers, store


def use(layers, store, vectors):
    for name, layer in layers.items():
        layer.coefficients = {side: store.values(name, side, vectors) for side in "ab"}


def e2e(path, tokenizer, limit):
    examples = []
    for line in gzip.open(path, "rt", encoding="utf-8"):
        slots, sentence = line.rstrip("\n").split("||", 1)
        prompt = tokenizer(slots + " ||")["input_ids"]
        text = tokenizer(slots + " || " + sentence)["input_ids"] + [2]
        if len(text) <= 192:
            examples.append((text, len(prompt)))
        if len(examples) == limit:
            break
    return examples


class Llama:
    rank, k, steps, batch, warmup, rate = 8, 64, 400, 16, 20, 0.1

    def __init__(self, data):
        self.model = AutoModelForCausalLM.from_pretrained(data / "stories260k-hf", dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(data / "stories260k-hf")
        self.train = e2e(data / "e2e/train.txt.gz", tokenizer, 20000)
        self.validation = e2e(data / "e2e/valid.txt.gz", tokenizer, 500)
        self.names = [
            name for name, module in self.model.named_modules() if isinstance(module, nn.Linear) and name != "lm_head"
        ]
        self.extra = []

    def loss(self, examples, reduction="mean"):
        width = max(len(text) for text, _ in examples)
        ids = torch.zeros(len(examples), width, dtype=torch.long)
        labels = torch.full((len(examples), width), -100)
        for row, (text, prompt) in enumerate(examples):
            ids[row, : len(text)] = torch.tensor(text)
            labels[row, prompt : len(text)] = torch.tensor(text[prompt:])
        logits = self.model(input_ids=ids, attention_mask=(torch.arange(width) < (labels != -100).cumsum(1).argmax(1)[:, None] + 1).long()).logits
        return nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), reduction=reduction), (
            labels[:, 1:] != -100
        ).sum()


class MiniLm:
    rank, k, steps, batch, warmup, rate = 4, 128, 120, 32, 20, 0.04

    def __init__(self, data):
        self.model = AutoModel.from_pretrained(data / "minilm", dtype=torch.float32)
        self.tokenizer = AutoTokenizer.from_pretrained(data / "minilm")
        rows = [[line.split("\t") for line in open(data / f"glosses/{name}.tsv", encoding="utf-8").read().splitlines()[1:]] for name in ("train", "validation")]
        classes = sorted({label for _, label in rows[0]})
        self.train, self.validation = [[(text, classes.index(label)) for text, label in part] for part in rows]
        self.validation = self.validation[:2000]
        self.names = [name for name, _ in self.model.named_modules() if name.endswith((".query", ".value"))]
        torch.manual_seed(0)
        self.head = nn.Linear(self.model.config.hidden_size, len(classes))
        self.extra = list(self.head.parameters())

    def loss(self, examples, reduction="mean"):
        batch = self.tokenizer([text for text, _ in examples], padding=True, truncation=True, max_length=48, return_tensors="pt")
        hidden = self.model(**batch).last_hidden_state
        mask = batch["attention_mask"][..., None].float()
        logits = self.head((hidden * mask).sum(1) / mask.sum(1))
        labels = torch.tensor([label for _, label in examples])
        return nn.functional.cross_entropy(logits, labels, reduction=reduction), torch.tensor(len(examples))


def run(task, way, factor, seed):
    """Trains, rounds and measures; factor: coefficients that a factor sees, in multiples of the task's."""
    k = int(task.k * factor)
    for parameter in task.model.parameters():
        parameter.requires_grad_(False)
    layers, store = adapt(task.model, task.names, way, k, task.rank, seed)
    optimizer = torch.optim.AdamW(list(store.vectors) + task.extra, lr=task.rate, weight_decay=0)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: (s + 1) / task.warmup if s < task.warmup else 1 - (s + 1 - task.warmup) / (task.steps - task.warmup)
    )
    order = torch.randperm(len(task.train), generator=torch.Generator().manual_seed(seed))
    task.model.eval()
    for step in range(task.steps):
        use(layers, store, store.vectors)
        examples = [task.train[order[(step * task.batch + i) % len(order)]] for i in range(task.batch)]
        loss, _ = task.loss(examples)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(list(store.vectors) + task.extra, 1.0)
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        rounded, codes = store.rounded()
        use(layers, store, rounded)
        total, count = 0.0, 0
        for i in range(0, len(task.validation), 50):
            loss, targets = task.loss(task.validation[i : i + 50], "sum")
            total += loss.item()
            count += targets.item()
    codes = torch.cat(codes)
    shares = codes.unique(return_counts=True)[1].double() / len(codes)
    return {
        "loss": total / count,
        "bytes": math.ceil(len(codes) * BITS / 8) + 4 * len(set(store.scales)),
        "codes": len(codes),
        "entropy": -(shares * shares.log2()).sum().item(),
    }


# What shares coefficients, and how many a factor sees, in multiples of the task's k, so that all have about the same bytes.
WAYS = {
    "own": 1,
    "kindscale": 1,
    "onescale": 1,
    "pairs": {"llama": 5 / 3, "minilm": 2},
    "kind": {"llama": 5, "minilm": 6},
    "pool": 4,
}


def main(model, data, out):
    torch.set_num_threads(1)
    folder = pathlib.Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    for seed in (1, 2, 3):
        for way, factor in WAYS.items():
            result = folder / f"{model}-{way}-s{seed}.json"
            if result.exists():
                continue
            task = {"llama": Llama, "minilm": MiniLm}[model](pathlib.Path(data))
            if isinstance(factor, dict):
                factor = factor[model]
            values = run(task, way, factor, seed)
            result.write_text(json.dumps({"model": model, "way": way, "seed": seed, **values}) + "\n")
            print(result.read_text(), end="", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
