"""Scores texts of `nola generate` against references, by the scorers that the field uses.

Usage: python3 score.py REFERENCES GENERATED [--categories A,B] [--cased] [--json]

REFERENCES is the references.jsonl of `nola import-webnlg`, `import-dart` or `import-e2e`: JSON
objects with `prompt`, `references` and perhaps `category`, one a line. GENERATED is what
`nola generate --prompts REFERENCES --json` prints: `continuations` with `prompt` and `text`.

BLEU and TER are sacrebleu's; NIST is nltk's, of tokens by sacrebleu's 13a (mteval v13a); METEOR,
ROUGE-L and CIDEr are pycocoevalcap's, of its PTB tokens, as in the E2E challenge's script. METEOR
and the PTB tokenizer are jars in pycocoevalcap, and need `java`; nothing is downloaded. A score
that cannot be computed is left out, with the reason.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from nltk.translate.nist_score import corpus_nist
from sacrebleu.metrics import BLEU, TER
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

NIST_ORDER = 5
COCO = ("METEOR", "ROUGE-L", "CIDEr")
JAVA = "needs java on the PATH"


class InvalidInput(Exception):
    """A file that does not have what it should; the message names it."""


@dataclass(frozen=True)
class Text:
    """A generated text, and what people wrote of the same data."""

    generated: str
    references: list[str]


@dataclass
class Scores:
    """Values by name, why others are missing, and sacrebleu's signatures."""

    texts: int
    values: dict[str, float] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    signatures: dict[str, str] = field(default_factory=dict)


def read(references: Path, generated: Path, categories: set[str] | None) -> list[Text]:
    """Pairs the files by prompt."""
    texts = read_generated(generated)
    pairs = []
    lines_by_prompt: dict[str, int] = {}
    # str.splitlines would also split at characters that JSON allows within a text, such as U+2028.
    for number, line in enumerate(content(references).split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{references}: line {number}"
        row = require_object(parsed(line, place), place)
        prompt = require_text(row, "prompt", place)
        if prompt in lines_by_prompt:
            raise InvalidInput(
                f"{place}: repeats the prompt of line {lines_by_prompt[prompt]}; must be new"
            )
        lines_by_prompt[prompt] = number
        if categories is not None and row.get("category") not in categories:
            continue
        if prompt not in texts:
            raise InvalidInput(f"{generated}: has no text for the prompt of {references}, line {number}")
        pairs.append(Text(texts[prompt], require_references(row, place)))
    if not pairs:
        raise InvalidInput(f"{references}: has no prompts to score")
    return pairs


def read_generated(file: Path) -> dict[str, str]:
    """The texts of `nola generate --json`, by prompt."""
    root = require_object(parsed(content(file), str(file)), str(file))
    rows = root.get("continuations")
    if not isinstance(rows, list):
        raise InvalidInput(f"{file}: has no list continuations; must be what nola generate prints")
    texts: dict[str, str] = {}
    for number, row in enumerate(rows, start=1):
        place = f"{file}: continuation {number}"
        row = require_object(row, place)
        prompt = require_text(row, "prompt", place)
        text = " ".join(require_text(row, "text", place).split())
        if texts.setdefault(prompt, text) != text:
            raise InvalidInput(f"{place}: is another text for an earlier prompt; must be one each")
    return texts


def content(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except OSError as error:
        raise InvalidInput(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file}: byte {error.start}: not valid UTF-8") from error


def parsed(text: str, place: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{place}: invalid JSON: {error}") from error


def require_object(value: object, place: str) -> dict:
    if not isinstance(value, dict):
        raise InvalidInput(f"{place}: must be a JSON object")
    return value


def require_text(row: dict, name: str, place: str) -> str:
    if not isinstance(row.get(name), str):
        raise InvalidInput(f"{place}: invalid {name}: {row.get(name)!r}; must be text")
    return row[name]


def require_references(row: dict, place: str) -> list[str]:
    value = row.get("references")
    fits = isinstance(value, list) and all(isinstance(each, str) and each.strip() for each in value)
    if not fits or not value:
        raise InvalidInput(
            f"{place}: invalid references: {value!r}; must be a list of one or more texts, none empty"
        )
    return value


def score(texts: list[Text], cased: bool = False) -> Scores:
    scores = Scores(len(texts))
    sacrebleu(texts, cased, scores)
    nist(texts, cased, scores)
    if shutil.which("java") is None:
        scores.skipped |= dict.fromkeys(COCO, JAVA)
    else:
        coco(texts, scores)
    return scores


def sacrebleu(texts: list[Text], cased: bool, scores: Scores) -> None:
    """BLEU and TER in percent; texts may have different numbers of references."""
    most = max(len(text.references) for text in texts)
    streams = [
        [text.references[i] if i < len(text.references) else None for text in texts]
        for i in range(most)
    ]
    metrics = {"BLEU": BLEU(lowercase=not cased), "TER": TER(case_sensitive=cased)}
    for name, metric in metrics.items():
        result = metric.corpus_score([text.generated for text in texts], streams)
        scores.values[name] = result.score
        scores.signatures[name] = str(metric.get_signature())


def nist(texts: list[Text], cased: bool, scores: Scores) -> None:
    tokenizer = Tokenizer13a()

    def tokens(text: str) -> list[str]:
        return tokenizer(text if cased else text.lower()).split()

    generated = [tokens(text.generated) for text in texts]
    if max(map(len, generated)) < NIST_ORDER:
        scores.skipped["NIST"] = f"needs a text of {NIST_ORDER} tokens"
        return
    references = [[tokens(reference) for reference in text.references] for text in texts]
    scores.values["NIST"] = float(corpus_nist(references, generated, n=NIST_ORDER))


def coco(texts: list[Text], scores: Scores) -> None:
    """METEOR, ROUGE-L and CIDEr; the PTB tokenizer makes all texts lower case."""
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.meteor.meteor import Meteor
    from pycocoevalcap.rouge.rouge import Rouge
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    tokenizer = PTBTokenizer()
    references = tokenizer.tokenize(
        {i: [{"caption": each} for each in text.references] for i, text in enumerate(texts)}
    )
    if not any(each for tokens in references.values() for each in tokens):
        reason = "needs a reference with words; the PTB tokenizer drops punctuation"
        scores.skipped |= dict.fromkeys(COCO, reason)
        return
    generated = tokenizer.tokenize(
        {i: [{"caption": text.generated}] for i, text in enumerate(texts)}
    )
    for name, scorer in {"METEOR": Meteor(), "ROUGE-L": Rouge(), "CIDEr": Cider()}.items():
        scores.values[name] = float(scorer.compute_score(references, generated)[0])


def main() -> int:
    parser = argparse.ArgumentParser(description="Score generated texts against references.")
    parser.add_argument("references", type=Path, help="references.jsonl of nola import-…")
    parser.add_argument("generated", type=Path, help="output of nola generate --prompts … --json")
    parser.add_argument("--categories", help="score only the prompts of these categories")
    parser.add_argument("--cased", action="store_true", help="BLEU, NIST and TER heed case")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    categories = set(arguments.categories.split(",")) if arguments.categories else None
    try:
        texts = read(arguments.references, arguments.generated, categories)
    except InvalidInput as error:
        print(f"score.py: {error}", file=sys.stderr)
        return 1
    scores = score(texts, arguments.cased)
    if arguments.json:
        print(json.dumps(vars(scores), indent=2))
        return 0
    for name, value in scores.values.items():
        print(f"{name:8} {value:8.4f}  {scores.signatures.get(name, '')}".rstrip())
    for name, reason in scores.skipped.items():
        print(f"{name:8} skipped: {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
