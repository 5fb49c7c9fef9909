"""Compares the log-likelihoods of `nola choose` with those that Transformers computes."""

from __future__ import annotations

import json
from pathlib import Path

import torch
import transformers as hf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from checks import FolderTest, load, run_nola

TOLERANCE = 2e-4
DEV = [
    ("Which planet is largest?", ["Mars", "Jupiter", "Venus", "Earth"], 1, "solar_system"),
    ("Which body is a star?", ["The Moon", "Ceres", "The Sun", "Io"], 2, "solar_system"),
    ("Which of these is a tree?", ["An oak", "A rose", "A fern", "Moss"], 0, "plants"),
    ("What do roots take up?", ["Light", "Sugar", "Oxygen only", "Water"], 3, "plants"),
]
TEST = [
    ("Which planet has rings that are easy to see?", ["Saturn", "Mercury", "Mars", "Venus"], 0, "solar_system"),
    ("What does the Earth orbit?", ["The Moon", "The Sun", "Jupiter", "A comet"], 1, "solar_system"),
    ("How many moons has the Earth?", ["None", "Two", "One", "Four"], 2, "solar_system"),
    ("Which gas do leaves take up?", ["Helium", "Carbon dioxide", "Argon", "Neon"], 1, "plants"),
    ("What carries a plant's pollen?", ["Insects and wind", "Roots", "Bark", "Thorns"], 0, "plants"),
    ("Where are most leaves green?", ["In caves", "At the sea bed", "Nowhere", "On land"], 3, "plants"),
]  # fmt: skip

Question = tuple[str, list[str], int, str]


def rows(questions: list[Question]) -> str:
    keys = ("question", "choices", "answer", "subject")
    return "".join(json.dumps(dict(zip(keys, question))) + "\n" for question in questions)


def ask(question: Question, protocol: str) -> str:
    if protocol == "text":
        return f"Question: {question[0]}\nAnswer:"
    listed = "".join(f"\n{letter}. {text}" for letter, text in zip("ABCD", question[1]))
    return f"{question[0]}{listed}\nAnswer:"


def answer(question: Question, choice: int, protocol: str) -> str:
    return " " + (question[1][choice] if protocol == "text" else "ABCD"[choice])


def prompt(question: Question, shots: int, protocol: str) -> str:
    subject = question[3].replace("_", " ")
    header = f"The following are multiple choice questions (with answers) about {subject}.\n\n"
    examples = [row for row in DEV if row[3] == question[3]][:shots]
    answered = [ask(row, protocol) + answer(row, row[2], protocol) + "\n\n" for row in examples]
    return (header if protocol == "letter" else "") + "".join(answered) + ask(question, protocol)


class ChooseTest(FolderTest):
    def test_letters(self) -> None:
        self.check("letter", 0)

    def test_letters_with_shots(self) -> None:
        self.check("letter", 2)

    def test_texts_with_a_shot(self) -> None:
        self.check("text", 1)

    def check(self, protocol: str, shots: int) -> None:
        base = self.base()
        (self.folder / "test.jsonl").write_text(rows(TEST))
        (self.folder / "dev.jsonl").write_text(rows(DEV))
        options = ["--protocol", protocol]
        if shots:
            options += ["--shots", shots, "--examples", self.folder / "dev.jsonl"]
        result = run_nola("choose", base, "--questions", self.folder / "test.jsonl", *options)

        model = load(base)
        tokenizer = hf.PreTrainedTokenizerFast(tokenizer_file=str(base / "tokenizer.json"))
        right, right_by_character = [], []
        for question, found in zip(TEST, result["answers"], strict=True):
            text = prompt(question, shots, protocol)
            ends = [answer(question, choice, protocol) for choice in range(4)]
            expected = [self.log_likelihood(model, tokenizer, text, end) for end in ends]
            for one, other in zip(expected, found["logLikelihoods"], strict=True):
                self.assertAlmostEqual(one, other, delta=TOLERANCE * abs(one))
            right.append(max(range(4), key=expected.__getitem__) == question[2])
            by_character = [value / len(text) for value, text in zip(expected, question[1])]
            right_by_character.append(max(range(4), key=by_character.__getitem__) == question[2])
        total = result["total"]
        self.assertEqual(total["shortened"], 0)
        self.assertAlmostEqual(total["accuracy"], sum(right) / len(right))
        subjects = result["subjects"]
        self.assertAlmostEqual(subjects["solar_system"]["accuracy"], sum(right[:3]) / 3)
        self.assertAlmostEqual(subjects["plants"]["accuracy"], sum(right[3:]) / 3)
        if protocol == "text":
            self.assertAlmostEqual(
                total["accuracyByCharacter"], sum(right_by_character) / len(right)
            )

    def base(self) -> Path:
        """A model with random weights, and a byte-level tokenizer made of the questions."""
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=["<s>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        texts = [prompt(row, 2, kind) for row in TEST for kind in ("letter", "text")]
        tokenizer.train_from_iterator(texts, trainer)
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))]
        )
        torch.manual_seed(3)
        config = hf.LlamaConfig(
            vocab_size=tokenizer.get_vocab_size(),
            hidden_size=32,
            intermediate_size=56,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=512,
            initializer_range=0.3,
            bos_token_id=0,
            eos_token_id=0,
        )
        base = self.folder / "base"
        hf.LlamaForCausalLM(config).save_pretrained(base)
        tokenizer.save(str(base / "tokenizer.json"))
        return base

    @staticmethod
    def log_likelihood(
        model: torch.nn.Module, tokenizer: hf.PreTrainedTokenizerFast, text: str, end: str
    ) -> float:
        start = tokenizer(text)["input_ids"]
        ids = tokenizer(text + end)["input_ids"]
        if ids[: len(start)] != start:
            raise AssertionError(f"{end!r} changes the tokens before it")
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([ids])).logits[0]
        logarithms = torch.log_softmax(logits[len(start) - 1 : -1], dim=-1)
        return float(logarithms.gather(1, torch.tensor(ids[len(start) :])[:, None]).sum())
