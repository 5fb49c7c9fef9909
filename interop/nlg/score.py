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
    texts = {}
    for each in json.loads(generated.read_text("utf-8"))["continuations"]:
        texts[each["prompt"]] = " ".join(each["text"].split())
    pairs = []
    for number, line in enumerate(references.read_text("utf-8").splitlines(), start=1):
        row = json.loads(line)
        if categories is not None and row.get("category") not in categories:
            continue
        if row["prompt"] not in texts:
            raise InvalidInput(f"{generated}: has no text for the prompt of {references}, line {number}")
        pairs.append(Text(texts[row["prompt"]], row["references"]))
    if not pairs:
        raise InvalidInput(f"{references}: has no prompts to score")
    return pairs


def score(texts: list[Text], cased: bool = False) -> Scores:
    scores = Scores(len(texts))
    sacrebleu(texts, cased, scores)
    nist(texts, cased, scores)
    if shutil.which("java") is None:
        scores.skipped |= {name: JAVA for name in ("METEOR", "ROUGE-L", "CIDEr")}
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
