"""Compares the neighbors of `nola nearest` with those among features of Transformers."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import torch
import transformers as hf

import models
from checks import FolderTest, run_nola, write_tokenizer

JOB = """
model: {base: base%s}
task: classification
data: {format: tsv, train: train.tsv, validation: valid.tsv, maxTokens: 16}
method: {name: head}
optimizer: {learningRate: 0.1}
run: {batch: 7, steps: 1, threads: 1}
"""
CLASSES = ["blue", "green", "red"]

Row = tuple[str, str]


class NearestTest(FolderTest):
    def test_mean_of_tokens(self) -> None:
        self.check(", pooling: mean", lambda out, mask: (out[0] * mask).sum(1) / mask.sum(1))

    def test_pooler(self) -> None:
        self.check("", lambda out, mask: out[1])

    def check(self, pooling: str, pool) -> None:
        base = self.base()
        train, valid = self.rows("train.tsv", 40, 1), self.rows("valid.tsv", 25, 2)
        (self.folder / "job.yaml").write_text(JOB % pooling)
        model = hf.BertModel.from_pretrained(base).eval()
        tokenizer = hf.PreTrainedTokenizerFast(tokenizer_file=str(base / "tokenizer.json"), pad_token="[PAD]")

        def features(rows: list[Row]) -> torch.Tensor:
            batch = tokenizer([text for text, _ in rows], padding=True, return_tensors="pt")
            batch.pop("token_type_ids", None)
            with torch.no_grad():
                out = model(**batch)
            return torch.nn.functional.normalize(pool(out, batch["attention_mask"].unsqueeze(-1)))

        cosines = features(valid) @ features(train).T
        for k in (1, 5):
            expected = [self.vote(row, train, k) for row in cosines]
            result = run_nola("nearest", self.folder / "job.yaml", "-k", k)
            self.assertEqual(result["predictions"], expected)
            hits = [found == label for found, (_, label) in zip(expected, valid, strict=True)]
            self.assertAlmostEqual(result["accuracy"], sum(hits) / len(hits))

    @staticmethod
    def vote(cosines: torch.Tensor, train: list[Row], k: int) -> str:
        """Counter.most_common keeps the order of first votes, nearest first."""
        nearest = torch.topk(cosines, k).indices.tolist()
        return Counter(train[index][1] for index in nearest).most_common(1)[0][0]

    def rows(self, name: str, count: int, seed: int) -> list[Row]:
        choice = random.Random(seed)
        words = [f"w{i}" for i in range(4, models.VOCABULARY)]
        rows = [
            (" ".join(choice.choices(words, k=choice.randint(2, 9))), choice.choice(CLASSES))
            for _ in range(count)
        ]
        (self.folder / name).write_text("text\tlabel\n" + "".join(f"{a}\t{b}\n" for a, b in rows))
        return rows

    def base(self) -> Path:
        torch.manual_seed(4)
        base = self.folder / "base"
        hf.BertModel(hf.BertConfig(**models.sizes(initializer_range=0.5))).save_pretrained(base)
        write_tokenizer(base, "[CLS]")
        return base
