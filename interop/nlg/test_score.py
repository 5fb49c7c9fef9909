"""Tests score.py on texts whose scores are known."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import unittest
from math import log2
from pathlib import Path

import score

HERE = Path(__file__).resolve().parent
NOLA = os.environ.get("NOLA", str(HERE.parents[1] / "nola"))
REFERENCE = "alpha bravo charlie delta echo"
ONE_WRONG = "alpha bravo charlie delta foxtrot"
OTHER = "golf hotel india juliet kilo lima"


class ScoreTest(unittest.TestCase):
    """METEOR reads its table of paraphrases for seconds at each start: few tests compute all."""

    def test_equal_texts(self) -> None:
        scores = score.score([score.Text(text, [text]) for text in (REFERENCE, OTHER)])
        self.assertEqual(scores.skipped, {})
        self.assertAlmostEqual(scores.values["BLEU"], 100)
        self.assertEqual(scores.values["TER"], 0)
        self.assertAlmostEqual(scores.values["METEOR"], 1)
        self.assertAlmostEqual(scores.values["ROUGE-L"], 1)
        # The cosine of equal vectors, times ten; words that all texts have would weigh nothing.
        self.assertAlmostEqual(scores.values["CIDEr"], 10)
        self.assertIn("case:lc", scores.signatures["BLEU"])

    def test_one_wrong_word_of_five(self) -> None:
        scores = score.Scores(1)
        texts = [score.Text(ONE_WRONG, [REFERENCE])]
        score.sacrebleu(texts, False, scores)
        score.nist(texts, False, scores)
        # Precisions of n-grams are 4/5, 3/4, 2/3 and 1/2; lengths are equal.
        self.assertAlmostEqual(scores.values["BLEU"], 100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25)
        self.assertAlmostEqual(scores.values["TER"], 100 / 5)
        # A word of the reference has log2(5) bits, and the words after it none.
        self.assertAlmostEqual(scores.values["NIST"], 4 * log2(5) / 5)

    def test_best_of_several_references(self) -> None:
        scores = score.Scores(2)
        texts = [score.Text(REFERENCE, [OTHER, REFERENCE]), score.Text(OTHER, [OTHER])]
        score.sacrebleu(texts, False, scores)
        self.assertAlmostEqual(scores.values["BLEU"], 100)
        self.assertEqual(scores.values["TER"], 0)

    def test_case(self) -> None:
        texts = [score.Text(REFERENCE.upper(), [REFERENCE])]
        scores = score.Scores(1)
        score.sacrebleu(texts, False, scores)
        self.assertAlmostEqual(scores.values["BLEU"], 100)
        score.sacrebleu(texts, True, scores)
        self.assertEqual(scores.values["TER"], 100)

    def test_files(self) -> None:
        """References that nola writes, and the JSON that it prints of continuations."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "e2e.txt").write_text(f"name : A||{REFERENCE}\nname : B||{OTHER}\n")
            subprocess.run(
                [NOLA, "import-e2e", folder / "e2e.txt", "-o", folder / "e2e"],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            texts = {"name : B ||": f" {OTHER}\n", "name : A ||": f" {ONE_WRONG}"}
            rows = [{"prompt": key, "text": text, "tokens": []} for key, text in texts.items()]
            (folder / "generated.json").write_text(json.dumps({"continuations": rows}))
            arguments = [folder / "e2e" / "references.jsonl", folder / "generated.json"]
            scores = json.loads(self.run_score(*arguments, "--json").stdout)
            self.assertEqual(scores["texts"], 2)
            # The longest common subsequences have four words of five, and six of six.
            self.assertAlmostEqual(scores["values"]["ROUGE-L"], (4 / 5 + 1) / 2)
            self.assertTrue(0.4 < scores["values"]["METEOR"] < 1, scores)

            without_java = self.run_score(*arguments, PATH="/nonexistent").stdout
            self.assertRegex(without_java, r"TER +9\.0909  nrefs:1")
            self.assertRegex(without_java, "METEOR +skipped: needs java on the PATH")

            (folder / "generated.json").write_text(json.dumps({"continuations": rows[:1]}))
            refused = self.run_score(*arguments)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("has no text for the prompt of", refused.stderr)
            self.assertIn("references.jsonl, line 1", refused.stderr)
            empty = self.run_score(*arguments, "--categories", "Airport")
            self.assertIn("has no prompts to score", empty.stderr)

    @staticmethod
    def run_score(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, HERE / "score.py", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | environment,
        )


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # pycocoevalcap leaves pipes open
