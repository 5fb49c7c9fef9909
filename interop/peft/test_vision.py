"""Trains vision models and loads them with the real transformers, PEFT, timm and torchvision.

The loss that nola states must be that of the merged model, of the base with the LoRA, and of the
network whose weights an adapter from scratch is.
"""

from __future__ import annotations

import importlib.util
import json
import unittest
from pathlib import Path

import numpy as np
import torch
import transformers as hf
from peft import PeftModel

import nola_reader as nola
from checks import TOLERANCE, FolderTest, difference, every_key_is_known, load, run_nola

SIDE = 16
CLASSES = ["bright", "dark", "striped"]
SIZES = {
    "hidden_size": 32,
    "intermediate_size": 56,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": SIDE,
    "patch_size": 4,
    "initializer_range": 0.1,
}
TIMM = {"img_size": SIDE, "patch_size": 4, "embed_dim": 32, "depth": 2, "num_heads": 4}
METHOD = {"name": "nola", "targets": "all-linear", "rank": 4, "k": 32, "l": 32}
HAS_TIMM = importlib.util.find_spec("timm") is not None
HAS_TORCHVISION = importlib.util.find_spec("torchvision") is not None


def pixels(label: int, random: np.random.Generator) -> np.ndarray:
    image = random.integers(0, 120, (SIDE, SIDE, 3), dtype=np.uint8)
    if label != 1:
        image[:: 1 if label == 0 else 2] += 120
    return image


def shaken(model: torch.nn.Module) -> torch.nn.Module:
    """Biases, gains and embeddings that are not all zeros, ones or tiny."""
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    return model.eval()


@unittest.skipUnless(importlib.util.find_spec("PIL"), "needs the package pillow")
class VisionTest(FolderTest):
    def images(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Writes a folder of images, and returns them as a model sees them, with their classes."""
        from PIL import Image

        random = np.random.default_rng(1)
        images, labels = [], []
        for label, name in enumerate(CLASSES):
            folder = self.folder / "images" / name
            folder.mkdir(parents=True)
            for i in range(8):
                image = pixels(label, random)
                Image.fromarray(image).save(folder / f"{i}.png")
                images.append(image)
                labels.append(label)
        inputs = torch.tensor(np.stack(images)).permute(0, 3, 1, 2) / 255
        return (inputs - 0.5) / 0.5, torch.tensor(labels)

    def train(self, model: dict, method: dict, **data: object) -> tuple[Path, dict]:
        job = {
            "model": model,
            "task": "classification",
            "data": {"format": "images", "train": "images", "validation": "images", **data},
            "method": method,
            "optimizer": {"learningRate": 0.02},
            "run": {"batch": 8, "steps": 12, "threads": 1},
        }
        (self.folder / "job.yaml").write_text(json.dumps(job))
        adapter = self.folder / "a.nola"
        return adapter, run_nola("train", self.folder / "job.yaml", "-o", adapter)

    def assert_loss(self, result: dict, logits: torch.Tensor, labels: torch.Tensor) -> None:
        loss = float(torch.nn.functional.cross_entropy(logits, labels))
        self.assertAlmostEqual(loss, result["validationLoss"], delta=2e-4)
        accuracy = float((logits.argmax(-1) == labels).float().mean())
        self.assertAlmostEqual(accuracy, result["validationAccuracy"], delta=1e-6)

    def merge(self, base: Path, adapter: Path) -> Path:
        """The merged model, whose base may have a head of other classes."""
        merged = self.folder / "merged"
        run_nola("merge", "--base", base, "--adapter", adapter, "-o", merged, "--allow-reshape")
        return merged

    def check_transformers(self, model: hf.PreTrainedModel) -> None:
        base = self.folder / "base"
        shaken(model).save_pretrained(base)
        inputs, labels = self.images()
        adapter, result = self.train({"base": "base", "baseName": "acme/base"}, METHOD)
        merged = self.merge(base, adapter)
        whole = load(merged, auto=hf.AutoModelForImageClassification)
        self.assertIsInstance(whole, hf.ViTForImageClassification)
        self.assertEqual([whole.config.id2label[i] for i in range(3)], CLASSES)
        lora = self.folder / "lora"
        run_nola("export", adapter, "--base", base, "-o", lora)
        blank = hf.ViTForImageClassification.from_pretrained(
            base, num_labels=3, ignore_mismatched_sizes=True
        )
        with every_key_is_known():
            adapted = PeftModel.from_pretrained(blank, str(lora)).eval()
        with torch.no_grad():
            self.assert_loss(result, whole(inputs).logits, labels)
            self.assert_loss(result, adapted(inputs).logits, labels)

    def test_vit_without_a_head(self) -> None:
        self.check_transformers(hf.ViTModel(hf.ViTConfig(**SIZES), add_pooling_layer=False))

    def test_vit_with_another_head(self) -> None:
        self.check_transformers(hf.ViTForImageClassification(hf.ViTConfig(**SIZES, num_labels=5)))

    def test_encoder_of_mae(self) -> None:
        decoder = {
            "decoder_hidden_size": 16,
            "decoder_num_attention_heads": 2,
            "decoder_num_hidden_layers": 1,
            "decoder_intermediate_size": 16,
        }
        self.check_transformers(hf.ViTMAEForPreTraining(hf.ViTMAEConfig(**SIZES, **decoder)))

    @unittest.skipUnless(HAS_TIMM, "needs the package timm")
    def test_timm(self) -> None:
        import timm
        from timm.models import save_for_hf

        for pool in ("token", "avg"):
            with self.subTest(pool):
                self.setUp()
                args = {"global_pool": pool, **TIMM}
                base = self.folder / "base"
                model = timm.create_model("vit_tiny_patch16_224", num_classes=5, **args)
                save_for_hf(shaken(model), base, safe_serialization=True, model_args=args)
                inputs, labels = self.images()
                size = {"resize": SIDE, "crop": SIDE}
                adapter, result = self.train({"base": "base"}, METHOD, **size)
                merged = self.merge(base, adapter)
                config = json.loads((merged / "config.json").read_text())
                self.assertEqual(config["label_names"], CLASSES)
                self.assertEqual(config["num_classes"], 3)
                self.assertEqual(config["global_pool"], pool)
                whole = timm.create_model(config["architecture"], num_classes=3, **args).eval()
                timm.models.load_checkpoint(whole, str(merged / "model.safetensors"))
                lora = self.folder / "lora"
                run_nola("export", adapter, "--base", base, "-o", lora)
                # As a user would: timm makes a head for the new classes, which PEFT replaces.
                blank = timm.create_model(
                    f"local-dir:{base}", pretrained=True, num_classes=3, **args
                )
                with every_key_is_known():
                    adapted = PeftModel.from_pretrained(blank, str(lora)).eval()
                with torch.no_grad():
                    self.assert_loss(result, whole(inputs), labels)
                    self.assert_loss(result, adapted(inputs), labels)
                    self.assertLess(difference(adapted(inputs), whole(inputs)), TOLERANCE)

    def weights(self, adapter: Path) -> dict[str, torch.Tensor]:
        """The tensors of a network from scratch: deltas of zeros, and those stored whole."""
        content = nola.read(adapter.read_bytes())
        found = {
            result.layer.tensor: torch.tensor(result.delta().reshape(result.layer.shape)).float()
            for result in nola.reconstruct(content)
        }
        types = {nola.F32: np.float32, nola.F16: np.float16}
        for tensor in content.dense:
            values = np.frombuffer(tensor.data, types[tensor.dtype]).reshape(tensor.shape)
            found[tensor.name] = torch.tensor(values.astype(np.float32))
        return found

    def check_network(self, network: str, model: torch.nn.Module) -> None:
        inputs, labels = self.images()
        method = {"name": "nola", "rank": 16, "k": 128, "l": 128, "denseType": "f32"}
        adapter, result = self.train({"network": network}, method, mean=0.5, std=0.5)
        model.load_state_dict(self.weights(adapter))
        with torch.no_grad():
            self.assert_loss(result, model.eval()(inputs), labels)

    @unittest.skipUnless(HAS_TORCHVISION, "needs the package torchvision")
    def test_resnet18_is_torchvisions(self) -> None:
        from torchvision.models import resnet18

        self.check_network("resnet18", resnet18(num_classes=3))

    def test_resnet20(self) -> None:
        self.check_network("resnet20", ResNet20(3))


class Block(torch.nn.Module):
    """Two convolutions, and a shortcut that leaves out pixels and adds channels of zeros."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.stride = 1 if inputs == outputs else 2
        self.added = (outputs - inputs) // 2
        self.conv1 = torch.nn.Conv2d(inputs, outputs, 3, self.stride, 1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(outputs)
        self.conv2 = torch.nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = torch.nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        pixels = x[:, :, :: self.stride, :: self.stride]
        shortcut = torch.nn.functional.pad(pixels, (0, 0, 0, 0, self.added, self.added))
        return (inner + shortcut).relu()


class ResNet20(torch.nn.Module):
    """The network for CIFAR of He et al. (2016)."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(16)
        self.layer1 = torch.nn.Sequential(*(Block(16, 16) for _ in range(3)))
        self.layer2 = torch.nn.Sequential(Block(16, 32), Block(32, 32), Block(32, 32))
        self.layer3 = torch.nn.Sequential(Block(32, 64), Block(64, 64), Block(64, 64))
        self.fc = torch.nn.Linear(64, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.bn1(self.conv1(x)).relu()
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


if __name__ == "__main__":
    unittest.main()
