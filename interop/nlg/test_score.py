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

    def test_references_without_words(self) -> None:
        scores = score.score([score.Text(". . . . .", ["."])])
        self.assertEqual(sorted(scores.skipped), ["CIDEr", "METEOR", "ROUGE-L"])
        self.assertIn("needs a reference with words", scores.skipped["CIDEr"])
        self.assertEqual(sorted(scores.values), ["BLEU", "NIST", "TER"])

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

    def test_invalid_files_are_refused_in_one_sentence(self) -> None:
        row = {"prompt": "a", "references": ["b c"]}
        text = {"prompt": "a", "text": "b c"}
        valid = (json.dumps(row), json.dumps({"continuations": [text]}))
        references = {
            b"\xe9": "byte 0: not valid UTF-8",
            b"[1]": "line 1: must be a JSON object",
            b"\n{": "line 2: invalid JSON: ",
            b"[" * 100_000: "line 1: invalid JSON: ",
            b'{"references": ["b"]}': "line 1: invalid prompt: None; must be text",
            valid[0].encode() + b"\n" + valid[0].encode(): "line 2: repeats the prompt of line 1",
        }
        for wrong in (None, "b", [], [""], [1]):
            key = json.dumps({"prompt": "a", "references": wrong}).encode()
            references[key] = f"line 1: invalid references: {wrong!r}; must be a list of one or more"
        generated = {
            "words": "invalid JSON: ",
            "[]": "must be a JSON object",
            "{}": "has no list continuations",
            '{"continuations": [1]}': "continuation 1: must be a JSON object",
            '{"continuations": [{"prompt": "a", "text": null}]}': "invalid text: None; must be text",
            json.dumps({"continuations": [text, {**text, "text": "d"}]}): "continuation 2: is another",
        }
        with tempfile.TemporaryDirectory() as name:
            files = (Path(name) / "references.jsonl", Path(name) / "generated.json")
            for content, message in references.items():
                self.check_refusal(files, content, valid[1].encode(), message)
            for content, message in generated.items():
                self.check_refusal(files, valid[0].encode(), content.encode(), message)
            files[0].unlink()
            files[1].write_text(valid[1])
            with self.assertRaisesRegex(score.InvalidInput, "references.jsonl: No such file"):
                score.read(*files, None)

    def check_refusal(
        self, files: tuple[Path, Path], references: bytes, generated: bytes, message: str
    ) -> None:
        files[0].write_bytes(references)
        files[1].write_bytes(generated)
        with self.subTest(message), self.assertRaises(score.InvalidInput) as refused:
            score.read(*files, None)
        self.assertIn(message, str(refused.exception))

    def test_line_ends_and_separators_within_texts(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            references, generated = Path(name) / "references.jsonl", Path(name) / "generated.json"
            row = json.dumps({"prompt": "a", "references": ["b\u2028c"]}, ensure_ascii=False)
            references.write_bytes(f"\ufeff{row}\r\n\r\n".encode())
            text = {"prompt": "a", "text": " b\n c"}
            # A prompt that is in several lines of a file is continued as often, to the same text.
            generated.write_text(json.dumps({"continuations": [text, text]}))
            texts = score.read(references, generated, None)
            self.assertEqual(texts, [score.Text("b c", ["b\u2028c"])])

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
