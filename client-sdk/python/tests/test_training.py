"""Training in PyTorch: gradients, the losses of the Java trainer, files, and what engines do."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
transformers = pytest.importorskip("transformers", reason="Transformers is not installed")

import nola_adapters as nola  # noqa: E402
from nola_adapters._bases import Basis  # noqa: E402
from nola_adapters.errors import MergeRefusedError  # noqa: E402
from nola_adapters.torch import attach, parametrize  # noqa: E402
from nola_adapters.torch.factor import FactorBasis, combine  # noqa: E402

STEPS = 50
WORDS = [
    "<unk>",
    "<s>",
    "</s>",
    "||",
    "name[Loch]",
    "name[Alimentum]",
    "food[Thai]",
    "food[Italian]",
    "Loch",
    "Alimentum",
    "serves",
    "has",
    "Thai",
    "Italian",
    "food",
]
EXAMPLES = [
    (f"name[{name}] food[{food}] ||", f" {name} {verb} {food} food")
    for name in ("Loch", "Alimentum")
    for food in ("Thai", "Italian")
    for verb in ("serves", "has")
]
SIZES = {"rank": 4, "k": 24, "l": 24, "seed": 42}


def tiny_llama(folder: Path) -> Path:
    torch.manual_seed(3)
    config = transformers.LlamaConfig(
        vocab_size=len(WORDS),
        hidden_size=32,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        initializer_range=0.2,
        bos_token_id=1,
        eos_token_id=2,
    )
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer = {
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "model": {
            "type": "WordLevel",
            "unk_token": "<unk>",
            "vocab": {word: i for i, word in enumerate(WORDS)},
        },
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    return folder


def load(folder: Path) -> Any:
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def batch() -> dict[str, Any]:
    """All examples, with EOS, and the loss on completions alone."""
    rows = []
    for prompt, completion in EXAMPLES:
        context = [WORDS.index(word) for word in prompt.split()]
        answer = [WORDS.index(word) for word in completion.split()] + [2]
        rows.append((context + answer, [-100] * len(context) + answer))
    ids, labels = (torch.tensor(column) for column in zip(*rows, strict=True))
    return {"input_ids": ids, "labels": labels, "attention_mask": torch.ones_like(ids)}


def train(model: Any, training: Any, steps: int = STEPS) -> list[float]:
    """The loop of a Java job, without Hugging Face's Trainer."""
    optimizer, schedule = training.optimizers(steps)
    losses = []
    for step in range(1, steps + 1):
        training.begin_step(step, steps)
        loss = model(**batch()).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(training.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama(tmp_path_factory.mktemp("llama"))


@pytest.mark.parametrize("generator", list(nola.Generator)[:4])
def test_backward_is_the_transposed_product(generator: nola.Generator) -> None:
    basis = FactorBasis(generator, 7, 3, 1, 1000)
    rows = Basis(generator, 7, 3, 1, 1000, 20)
    matrix = np.stack([rows.combine_real(row) for row in np.eye(20)])
    coefficients = torch.linspace(-1, 1, 20, requires_grad=True)
    factor = combine(coefficients, basis, 16, 0.5)
    weights = torch.linspace(-2, 2, 1000)
    (factor * weights).sum().backward()
    expected = matrix @ weights.numpy() * basis.norm(20) * 0.5
    np.testing.assert_allclose(coefficients.grad.numpy(), expected, rtol=2e-6)
    exact = coefficients.detach().numpy() @ matrix * basis.norm(20) * 0.5
    np.testing.assert_allclose(factor.detach().numpy(), exact, atol=1e-4)
    torch.library.opcheck(
        torch.ops.nola.combine, (coefficients, int(generator), 7, 3, 1, 1000, 16, 0.5)
    )


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ({"rank": 0}, "invalid rank: 0; must be an integer from 1"),
        ({"k": "16"}, "invalid k: '16'; must be an integer"),
        ({"l": True}, "invalid l: True; must be an integer"),
        ({"k": 1000}, "too many coefficients for side A"),
        ({"bits": 17}, "invalid bits: 17; must be an integer from 1 to 16"),
        ({"seed": 1 << 64}, "invalid seed: 18446744073709551616"),
        ({"initial_seed": -1}, "invalid initial_seed: -1"),
        ({"qat": 1.5}, "invalid qat: 1.5; must be True, False or a share"),
        ({"c": float("nan")}, "invalid c: nan; must be a positive number"),
        ({"targets": "("}, r"invalid targets: \(; not a regular expression"),
        ({"targets": "none"}, "targets match no linear module of LlamaForCausalLM: none;.* q_proj"),
        ({"targets": ["q_proj", "k_prj"]}, "no linear module of LlamaForCausalLM: k_prj;.* k_proj"),
        ({"targets": ["_proj"]}, "no linear module of LlamaForCausalLM: _proj"),
        ({"targets": []}, "no targets; must name at least one module"),
        ({"targets": ["q_proj", 1]}, r"invalid targets: \['q_proj', 1\]; must be qv, mlp"),
        ({"targets": None}, "invalid targets: None; must be qv, mlp"),
        ({"whole": ("none",)}, "module of whole not found: none"),
        ({"generator": "identity"}, "generator identity is for trained LoRAs"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(
    base: Path, setting: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        parametrize(load(base), **SIZES | setting)


@pytest.mark.parametrize(
    "targets",
    [
        ["q_proj", "v_proj"],
        ("v_proj", "q_proj"),
        {"q_proj", "v_proj"},
        ["self_attn.q_proj", "model.layers.0.self_attn.v_proj", "layers.1.self_attn.v_proj"],
        r".*\.(q_proj|v_proj)",
        r".*\.(q|v)_proj$",
        "qv",
    ],
)
def test_targets_are_those_of_peft(base: Path, targets: Any) -> None:
    from peft import LoraConfig, get_peft_model

    training = parametrize(load(base), targets, **SIZES)
    peft_targets = ["q_proj", "v_proj"] if targets == "qv" else targets
    config = LoraConfig(target_modules=peft_targets)
    adapted = get_peft_model(load(base), config).base_model.model.named_modules()
    expected = [f"{path}.weight" for path, module in adapted if hasattr(module, "lora_A")]
    assert list(training.deltas) == expected
    assert len(expected) == 4


def test_model_is_changed_once(base: Path) -> None:
    model = load(base)
    file = parametrize(model, **SIZES).file()
    with pytest.raises(ValueError, match=r"q_proj is parametrized already; load the model anew"):
        parametrize(model, **SIZES)
    attached = attach(load(base), file)
    with pytest.raises(ValueError, match=r"has a LoRA; merge or unload it before parametrize"):
        parametrize(attached, **SIZES)
    with pytest.raises(MergeRefusedError, match="the model has a LoRA already"):
        attach(attached, file)


@pytest.mark.parametrize("qat", [False, 0.5])
def test_losses_are_those_of_the_java_trainer(
    base: Path, nola_jar: Path, tmp_path: Path, qat: bool | float
) -> None:
    job = {
        "model": {"base": str(base)},
        "task": "causal-lm",
        "seed": SIZES["seed"],
        "data": {"format": "jsonl", "train": "data.jsonl", "validation": "data.jsonl"},
        "method": {
            "name": "nola",
            "targets": "all-linear",
            **{name: SIZES[name] for name in ("rank", "k", "l")},
            "bits": 4,
            "quantizationAware": {"from": qat} if qat else False,
        },
        "run": {"batch": len(EXAMPLES), "steps": STEPS, "threads": 1, "device": "cpu"},
    }
    (tmp_path / "job.yaml").write_text(json.dumps(job))
    lines = [json.dumps({"prompt": p, "completion": c}) for p, c in EXAMPLES]
    (tmp_path / "data.jsonl").write_text("\n".join(lines))
    launcher = os.environ.get("NOLA", str(Path(__file__).parents[3] / "nola"))
    command = [launcher, "train", "job.yaml", "-o", "java.nola", "--quiet"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    metrics = (tmp_path / "java.nola.run" / "metrics.jsonl").read_text().splitlines()
    java = [entry["loss"] for entry in map(json.loads, metrics) if "learningRate" in entry]
    model = load(base)
    training = parametrize(model, "all-linear", bits=4, qat=qat, **SIZES)
    python = train(model, training)
    assert len(java) == STEPS
    assert java[-1] < java[0] / 2
    # Once coefficients are rounded to 4 bits, a last bit of f32 decides which way some of them go.
    exact = int(qat * STEPS) if qat else STEPS
    np.testing.assert_allclose(python[:exact], java[:exact], rtol=1e-4)
    np.testing.assert_allclose(python, java, rtol=0.05)
    ours, theirs = training.file(), nola.read(tmp_path / "java.nola")
    assert ours.adapter.base.identity == theirs.adapter.base.identity
    assert [it.tensor for it in ours.adapter.layers] == [it.tensor for it in theirs.adapter.layers]


def gpt2(folder: Path) -> Any:
    torch.manual_seed(4)
    config = transformers.GPT2Config(
        vocab_size=len(WORDS), n_positions=64, n_embd=32, n_layer=2, n_head=4, bos_token_id=1,
        eos_token_id=2,
    )  # fmt: skip
    transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    return load(folder)


def classifier(folder: Path) -> Any:
    torch.manual_seed(5)
    config = transformers.LlamaConfig(
        vocab_size=len(WORDS), hidden_size=32, intermediate_size=40, num_hidden_layers=1,
        num_attention_heads=4, max_position_embeddings=64, pad_token_id=0, num_labels=3,
        id2label={0: "a", 1: "b", 2: "c"},
    )  # fmt: skip
    transformers.LlamaForSequenceClassification(config).save_pretrained(folder)
    return transformers.AutoModelForSequenceClassification.from_pretrained(folder)


def llama(folder: Path) -> Any:
    return load(tiny_llama(folder))


@pytest.mark.parametrize("make", [llama, gpt2, classifier])
def test_saved_adapter_computes_what_was_trained(
    make: Any, tmp_path: Path, nola_jar: Path, java: str
) -> None:
    model = make(tmp_path / "base")
    data = batch()
    if make is classifier:
        data["labels"] = torch.arange(len(EXAMPLES)) % 3
    training = parametrize(model, bits=4, qat=True, **SIZES)
    optimizer, _ = training.optimizers(10)
    for _ in range(3):
        model(**data).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    file = training.save(tmp_path / "x.nola", dense=nola.DType.F32)
    command = [java, "-jar", str(nola_jar), "verify", str(tmp_path / "x.nola")]
    subprocess.run(command, check=True, capture_output=True)
    model.eval()
    with torch.no_grad():
        trained = model(**data).logits
        again = type(model).from_pretrained(tmp_path / "base").eval()
        before = again(**data).logits
        lora = attach(again, tmp_path / "x.nola").eval()
        with_lora = lora(**data).logits
        merged = attach(type(model).from_pretrained(tmp_path / "base"), file, merged=True).eval()
        with_merged = merged(**data).logits
    assert (trained - before).abs().max() > 0.01
    torch.testing.assert_close(with_lora, trained, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(with_merged, trained, rtol=1e-4, atol=1e-5)
    if make is classifier:
        assert file.adapter.dense[0].name == "score.weight"
        assert ("labels", '["a", "b", "c"]') in file.adapter.metadata.provenance


@pytest.mark.parametrize(
    ("settings", "percent"),
    [({"bits": 4}, 10), ({"bits": 2}, 38), ({"bits": 4, "qat": 0.5}, None), ({"bits": 16}, None)],
)
def test_file_that_differs_from_the_trained_model_is_reported(
    base: Path, caplog: pytest.LogCaptureFixture, settings: dict[str, Any], percent: int | None
) -> None:
    model = load(base)
    training = parametrize(model, **SIZES | settings)
    train(model, training, 4)
    file = training.file()
    model.eval()
    with torch.no_grad():
        in_memory = model(**batch()).loss.item()
        in_file = attach(load(base), file).eval()(**batch()).loss.item()
    ours = [each.getMessage() for each in caplog.records if each.name.startswith("nola_adapters")]
    if percent is None:
        assert ours == []
        assert in_file == pytest.approx(in_memory, rel=1e-5)
    else:
        (message,) = ours
        stated = re.match(r"rounding to (\d+) bits changes coefficients by up to (\d+) %", message)
        assert stated is not None
        assert int(stated[1]) == settings["bits"]
        assert int(stated[2]) == pytest.approx(percent, abs=2)
        assert in_file != pytest.approx(in_memory, rel=1e-4)


def test_merged_weights_are_those_of_merge_files(base: Path, tmp_path: Path) -> None:
    model = load(base)
    training = parametrize(model, **SIZES)
    train(model, training, 2)
    file = training.file()
    nola.merge(base, [file], tmp_path / "merged")
    expected = load(tmp_path / "merged").state_dict()
    actual = attach(load(base), file, merged=True).state_dict()
    assert all(torch.equal(actual[name], tensor) for name, tensor in expected.items())


def test_adapter_of_a_model_of_the_hub_states_it(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    revision = "0123456789abcdef0123456789abcdef01234567"
    snapshot = tmp_path / "models--acme--tiny" / "snapshots" / revision
    shutil.copytree(base, snapshot)
    (tmp_path / "models--acme--tiny" / "refs").mkdir()
    (tmp_path / "models--acme--tiny" / "refs" / "main").write_text(revision)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    model = load(base)
    from_folder = parametrize(model, **SIZES).file().adapter.base
    model = transformers.AutoModelForCausalLM.from_pretrained("acme/tiny", cache_dir=tmp_path)
    from_hub = parametrize(model, **SIZES).file().adapter.base
    assert (from_hub.name, from_hub.revision) == ("acme/tiny", revision)
    assert from_hub.identity == from_folder.identity
    assert from_folder.identity is not None
    assert from_folder.name == ""


def test_base_model_of_a_folder_is_named(base: Path, tmp_path: Path) -> None:
    from nola_adapters.torch.callback import NolaCallback

    model = load(base)
    training = parametrize(model, **SIZES)
    saved = training.save(tmp_path / "x.nola", base_name="acme/tiny").adapter.base
    assert (saved.name, saved.revision) == ("acme/tiny", "")
    assert saved.identity == training.file().adapter.base.identity
    shutil.copytree(base, tmp_path / "copy")
    model.config._name_or_path = ""
    arguments = transformers.TrainingArguments(output_dir=str(tmp_path / "out"), use_cpu=True)
    callback = NolaCallback(
        training, tmp_path / "y.nola", base=tmp_path / "copy", base_name="acme/tiny"
    )
    callback.on_train_end(arguments, transformers.TrainerState(), transformers.TrainerControl())
    assert nola.read(tmp_path / "y.nola").adapter.base == saved


def test_trainer_saves_publishes_and_attaches_by_reference(
    base: Path, tmp_path: Path, registry_server: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from nola_adapters.torch.callback import NolaCallback

    url, token = registry_server
    monkeypatch.setenv("NOLA_REGISTRY", url)
    monkeypatch.setenv("NOLA_TOKEN", token)
    monkeypatch.setenv("NOLA_CACHE", str(tmp_path / "cache"))
    model = load(base)
    training = parametrize(model, qat=0.5, **SIZES)
    data = batch()
    rows = [{name: column[i] for name, column in data.items()} for i in range(len(EXAMPLES))]
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path / "out"), max_steps=10, per_device_train_batch_size=8,
        report_to=[], save_strategy="no", use_cpu=True, disable_tqdm=True, logging_steps=5,
    )  # fmt: skip
    callback = NolaCallback(
        training, tmp_path / "x.nola", reference="trained/mood@1.0.0", alias="prod",
        create_namespace=True,
    )  # fmt: skip
    trainer = transformers.Trainer(
        model=model, args=arguments, train_dataset=rows, optimizers=training.optimizers(10),
        callbacks=[callback],
    )  # fmt: skip
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert losses[1] < losses[0]
    assert {delta.bits for delta in training.deltas.values()} == {4}
    with torch.no_grad():
        attached = attach(load(base), "trained/mood@prod").eval()(**data).logits
        torch.testing.assert_close(attached, model.eval()(**data).logits, rtol=1e-4, atol=1e-5)


def test_compiled_model_has_the_same_losses(base: Path) -> None:
    plain, compiled = load(base), load(base)
    compiled.config.use_cache = False  # Transformers' cache breaks the graph
    first = parametrize(plain, **SIZES)
    second = parametrize(compiled, **SIZES)
    expected = train(plain, first, 3)
    actual = train(torch.compile(compiled, backend="aot_eager", fullgraph=True), second, 3)
    np.testing.assert_allclose(actual, expected, rtol=1e-5)


@pytest.mark.parametrize("engine", ["fsdp", "fsdp2", "accelerate"])
def test_two_processes_train_the_same_adapter(base: Path, tmp_path: Path, engine: str) -> None:
    model = load(base)
    training = parametrize(model, bits=16, **SIZES)
    expected = train(model, training, 5)
    worker = Path(__file__).parent / "train_in_processes.py"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    out = tmp_path / "x.nola"
    launcher = ["torch.distributed.run", "--nproc-per-node=2", f"--master-port={port}"]
    command = [sys.executable, "-m", *launcher, str(worker), engine, str(base), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    losses = json.loads(done.stdout.splitlines()[-1])
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    nola.verify(nola.read(out))
