"""Trains classifiers with `nola train` and runs the snippets of model cards, in the real libraries.

A classifier that Nola has trained must have in transformers and PEFT the loss that Nola reports, for
every kind of base: with and without a pooler, and saved with another head.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import torch
from peft import AutoPeftModelForSequenceClassification
from peft.tuners.lora import LoraLayer
from peft.utils.other import ModulesToSaveWrapper
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    BertForQuestionAnswering,
    BertForTokenClassification,
    BertModel,
    Gemma2Config,
    LlamaForCausalLM,
    MistralConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen3Config,
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaForSequenceClassification,
    RobertaModel,
    T5Config,
    T5ForConditionalGeneration,
    XLMRobertaConfig,
    XLMRobertaModel,
    pipeline,
)

import adapters
import models
from checks import (
    FolderTest,
    every_key_is_known,
    load,
    module_names,
    run_nola,
    write_tokenizer,
)

# Sums in f32 in another order.
TOLERANCE = 1e-4
# Not in alphabetical order, so that a lost order of the classes would be seen.
LABELS = ["sunny", "rain, heavy", "fog \"dense\""]


def bert_config() -> BertConfig:
    return BertConfig(**models.sizes(hidden_act="gelu_new"))


def t5() -> T5ForConditionalGeneration:
    config = T5Config(
        vocab_size=models.VOCABULARY,
        d_model=32,
        d_kv=8,
        d_ff=56,
        num_layers=2,
        num_heads=4,
        initializer_factor=1.0,
        decoder_start_token_id=0,
    )
    return T5ForConditionalGeneration(config)


def snippet(lora: Path, base: Path) -> torch.nn.Module:
    """The model that the code in a model card makes."""
    card = (lora / "README.md").read_text()
    code = card.split("```python\n")[1].split("```")[0]
    code = code.replace('"path/to/the/base/model"', repr(str(base)))
    code = code.replace('"path/to/this/folder"', repr(str(lora)))
    names: dict = {}
    with every_key_is_known():
        exec(code, names)  # noqa: S102
    return names["model"].eval()


def tokenizer_of(folder: Path) -> PreTrainedTokenizerFast:
    """The tokenizer that a pipeline loads; for Qwen 2 it would be one that knows no WordLevel model."""
    qwen2 = json.loads((folder / "config.json").read_text())["model_type"] == "qwen2"
    return (PreTrainedTokenizerFast if qwen2 else AutoTokenizer).from_pretrained(folder)


class HeadTest(FolderTest):
    def setUp(self) -> None:
        super().setUp()
        torch.manual_seed(8)

    def train(self, model: PreTrainedModel, start: str, **more: str) -> tuple[Path, Path, dict]:
        """Returns base, adapter and Nola's report; the texts differ in length."""
        base = models.save(model.eval(), self.folder / "base")
        write_tokenizer(base, start)
        self.texts = [
            (" ".join(f"w{20 + (i * 7 + t) % 40}" for t in range(1 + i % 5)) + f" w{5 + i % 3}", i % 3)
            for i in range(30)
        ]
        (self.folder / "data.jsonl").write_text(
            "".join(json.dumps({"text": t, "label": label}) + "\n" for t, label in self.texts)
        )
        settings = {"baseName": str(base), "base": "base", **more}
        (self.folder / "job.yaml").write_text(
            json.dumps(
                {
                    "model": settings,
                    "task": "classification",
                    "data": {
                        "format": "jsonl",
                        "maxTokens": 32,
                        "train": "data.jsonl",
                        "validation": "data.jsonl",
                        "labels": LABELS,
                    },
                    "method": {"name": "nola", "rank": 2, "k": 16, "l": 16, "targets": "all-linear"},
                    "optimizer": {"learningRate": 0.03},
                    "run": {"batch": 10, "steps": 12, "threads": 1},
                }
            )
        )
        adapter = self.folder / "a.nola"
        report = run_nola("train", self.folder / "job.yaml", "-o", adapter)
        return base, adapter, report

    def assert_as_in_nola(self, model: torch.nn.Module, tokens: Path, report: dict) -> None:
        tokenizer = tokenizer_of(tokens)
        texts, labels = zip(*self.texts)
        batch = tokenizer(list(texts), padding=True, return_tensors="pt")
        with torch.no_grad():
            logits = model(
                input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
            ).logits
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(labels)).item()
        accuracy = (logits.argmax(-1) == torch.tensor(labels)).double().mean().item()
        self.assertAlmostEqual(loss, report["validationLoss"], delta=TOLERANCE)
        self.assertAlmostEqual(accuracy, report["validationAccuracy"], delta=1e-9)

    def classifier(self, model: PreTrainedModel, start: str, saved: set[str]) -> None:
        base, adapter, report = self.train(model, start)
        lora = self.folder / "lora"
        run_nola("export", adapter, "--base", base, "-o", lora)
        merged = self.merged(base, adapter)
        with self.subTest("merged"):
            whole = load(merged, auto=AutoModelForSequenceClassification)
            self.assert_as_in_nola(whole, base, report)
            self.assertEqual(list(whole.config.id2label.values()), LABELS)
            self.assertEqual(whole.config.label2id, {name: i for i, name in enumerate(LABELS)})
        with self.subTest("pipeline"):
            classify = pipeline(
                "text-classification", model=str(merged), tokenizer=tokenizer_of(merged), device="cpu"
            )
            named = [found["label"] for found in classify([text for text, _ in self.texts])]
            hits = sum(name == LABELS[label] for name, (_, label) in zip(named, self.texts))
            self.assertAlmostEqual(hits / len(named), report["validationAccuracy"], delta=1e-9)
        with self.subTest("model card"):
            carded = snippet(lora, base)
            self.assert_as_in_nola(carded, base, report)
            self.assertEqual(list(carded.config.id2label.values()), LABELS)
            self.assertEqual(module_names(carded, ModulesToSaveWrapper), saved)
        with self.subTest("AutoPeftModel"):
            auto = AutoPeftModelForSequenceClassification.from_pretrained(
                str(lora), num_labels=len(LABELS)
            )
            self.assert_as_in_nola(auto.eval(), base, report)

    def test_bert_with_a_pooler(self) -> None:
        self.classifier(BertModel(bert_config()), "[CLS]", {"classifier"})

    def test_bert_without_a_pooler(self) -> None:
        model = BertModel(bert_config(), add_pooling_layer=False)
        self.classifier(model, "[CLS]", {"classifier", "bert.pooler.dense"})

    def test_bert_with_another_head(self) -> None:
        model = BertForMaskedLM(bert_config())
        self.classifier(model, "[CLS]", {"classifier", "bert.pooler.dense"})

    def test_roberta(self) -> None:
        """Its classifier has two layers; a pooler belongs to the bare model alone."""
        sizes = models.sizes(pad_token_id=0)
        roberta = RobertaConfig(**sizes)
        for model in (
            RobertaModel(roberta),
            RobertaForMaskedLM(roberta),
            RobertaForSequenceClassification(roberta),
            XLMRobertaModel(XLMRobertaConfig(**sizes)),
        ):
            with self.subTest(type(model).__name__), tempfile.TemporaryDirectory() as folder:
                self.folder = Path(folder)
                self.classifier(model, "[CLS]", {"classifier"})

    def test_llama(self) -> None:
        for tied in (False, True):
            with self.subTest(tied=tied), tempfile.TemporaryDirectory() as folder:
                self.folder = Path(folder)
                self.classifier(models.llama(tied), "w4", {"score"})

    def test_relatives_of_llama(self) -> None:
        more = {"num_hidden_layers": models.LAYERS, "num_key_value_heads": 2, "pad_token_id": 0}
        sizes = models.sizes(**more)
        for config in (
            MistralConfig(**sizes, sliding_window=3),
            Qwen2Config(**sizes),
            Qwen3Config(**sizes, head_dim=8),
            Gemma2Config(**sizes, head_dim=8, sliding_window=3, attn_implementation="eager"),
        ):
            with self.subTest(config.model_type), tempfile.TemporaryDirectory() as folder:
                self.folder = Path(folder)
                torch.manual_seed(1)
                self.classifier(AutoModelForCausalLM.from_config(config), "w4", {"score"})

    def test_the_mean_is_refused(self) -> None:
        base, adapter, _ = self.train(BertModel(bert_config()), "[CLS]", pooling="mean")
        why = "the mean over all tokens, which no class of Transformers computes"
        with self.assertRaisesRegex(AssertionError, why):
            run_nola("export", adapter, "--base", base, "-o", self.folder / "lora")
        with self.assertRaisesRegex(AssertionError, why):
            self.merged(base, adapter)

    def test_the_model_card_of_every_task(self) -> None:
        llama_value = "model.layers.{}.self_attn.v_proj.weight", (16, 32)
        bert_value = "bert.encoder.layer.{}.attention.self.value.weight", (32, 32)
        image = models.vision_transformer()
        image_value = next(n for n, p in image.named_parameters() if "value.weight" in n or "v_proj.weight" in n)
        bert = bert_config()
        cases = [
            ("text-generation", models.llama(tied=False), *llama_value, []),
            ("", models.llama(tied=False), *llama_value, []),
            ("text2text-generation", t5(), "encoder.block.{}.layer.0.SelfAttention.v.weight", (32, 32), []),
            ("text-classification", models.llama_classifier(), *llama_value, ["score"]),
            ("token-classification", BertForTokenClassification(bert), *bert_value, ["classifier"]),
            ("question-answering", BertForQuestionAnswering(bert), *bert_value, ["qa_outputs"]),
            ("feature-extraction", LlamaForCausalLM(models.llama_config(False)).model, "layers.{}.self_attn.v_proj.weight", (16, 32), []),
            ("image-classification", image, image_value.replace(".0.", ".{}."), (32, 32), ["classifier"]),
        ]  # fmt: skip
        for number, (task, model, name, shape, heads) in enumerate(cases):
            with self.subTest(task):
                folder = self.folder / str(number)
                folder.mkdir()
                base = models.save(model, folder / "base")
                layers = [adapters.layer(name.format(i), shape, 4, i) for i in range(2)]
                sizes = {n: tuple(p.shape) for n, p in model.named_parameters()}
                dense = [
                    adapters.dense(n, sizes[n])
                    for head in heads
                    for n in (f"{head}.weight", f"{head}.bias")
                    if n in sizes
                ]
                adapter = adapters.write(folder / "a.nola", layers, dense, task)
                lora = folder / "lora"
                run_nola("export", adapter, "--base", base, "-o", lora)
                made = snippet(lora, base)
                adapted = [module for module in made.modules() if isinstance(module, LoraLayer)]
                self.assertEqual(len(adapted), 2)
                for module in adapted:
                    self.assertGreater(float(module.lora_B["default"].weight.abs().max()), 0)
                card = (lora / "README.md").read_text()
                self.assertIn(f'pipeline_tag: "{task}"' if task else "library_name: peft", card)
