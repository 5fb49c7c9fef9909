#!/usr/bin/env bash
# Runs the trainings that RESULTS.md reports, one folder per run: job.yaml, the adapter, result.json. Finished runs are skipped, and
# others go on from their last checkpoint.
#
#   trainer-worker/results/run.sh DATA OUT SET...      DATA: e2e/, mnist/, stories260k-hf/, minilm/, glosses/, smollm2/
#   PARALLEL=2 (the default): runs at a time, of one thread each
#   STEPS=1200 BATCH=16 LINES=500 (the defaults): length, batches and validation lines of the sets smollm2 and smollm2-rates
#
# SET: e2e, bits, lora-bits, quarter, mlp-rates, mlp, wordnet-rates, wordnet, rates, smollm2-rates, smollm2.
# java Summary.java OUT prints a table of the results.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
data=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
shift 2

# job NAME SEED: creates the folder of a run, with the job from standard input.
job() {
  mkdir -p "$out/$1"
  cat >"$out/$1/job.yaml"
  echo "seed: $2" >>"$out/$1/job.yaml"
  echo "$1" >>"$out/.queue"
}

# A tiny Llama learns to put E2E's slots into a sentence.
e2e() { # NAME SEED STEPS RATE METHOD
  job "$1-s$2" "$2" <<YAML
model: {base: $data/stories260k-hf}
task: causal-lm
data:
  format: e2e
  train: $data/e2e/train.txt.gz
  validation: $data/e2e/valid.txt.gz
  maxTokens: 192
  validationExamples: 500
method: {$5}
optimizer: {learningRate: $4, schedule: linear, warmup: 20}
run: {batch: 16, threads: 1, steps: $3}
YAML
}

# The paper's MLP, from scratch; evaluated on its training images, as in the paper.
mlp() { # NAME SEED EPOCHS RATE METHOD
  job "$1-s$2" "$2" <<YAML
model: {mlp: [784, 256, 10]}
task: classification
data:
  format: idx
  train: $data/mnist/train-images-idx3-ubyte.gz
  trainLabels: $data/mnist/train-labels-idx1-ubyte.gz
  validation: $data/mnist/train-images-idx3-ubyte.gz
  validationLabels: $data/mnist/train-labels-idx1-ubyte.gz
method: {$5}
optimizer: {learningRate: $4, schedule: constant, clip: 0}
run: {batch: 512, threads: 1, epochs: $3}
YAML
}

# MiniLM learns to tell a noun's supersense from its gloss.
wordnet() { # NAME SEED STEPS RATE METHOD
  job "$1-s$2" "$2" <<YAML
model: {base: $data/minilm, pooling: mean}
task: classification
data:
  format: tsv
  train: $data/glosses/train.tsv
  validation: $data/glosses/validation.tsv
  maxTokens: 48
  validationExamples: 2000
method: {$5}
optimizer: {learningRate: $4, schedule: linear, warmup: 20}
run: {batch: 32, threads: 1, steps: $3}
YAML
}

# SmolLM2-135M learns the same as the tiny Llama. A folder's name has the size of its run, so that no other size takes its result.
smollm2() { # NAME SEED RATE METHOD
  job "smollm2-$1-${steps}x$batch-s$2" "$2" <<YAML
model: {base: $data/smollm2}
task: causal-lm
data:
  format: e2e
  train: $data/e2e/train.txt.gz
  validation: $data/e2e/valid.txt.gz
  maxTokens: 192
  validationExamples: $lines
method: {$4}
optimizer: {learningRate: $3, schedule: linear, warmup: $((steps * 3 / 100))}
run: {batch: $batch, threads: 1, steps: $steps, checkpointEvery: 100}
YAML
}

steps=${STEPS:-1200}
batch=${BATCH:-16}
lines=${LINES:-500}
nola="name: nola, generator: philox-srht"
llama="$nola, targets: all-linear, rank: 8, scaling: 1"
: >"$out/.queue"
for set in "$@"; do
  case "$set" in
    e2e)
      for seed in 1 2; do
        for k in 32 64 128; do
          e2e "e2e-nola-k$k" $seed 800 0.1 "$llama, k: $k, l: $k, bits: 4"
        done
        for r in 1 4; do
          e2e "e2e-lora-r$r" $seed 800 0.03 "name: lora, targets: all-linear, rank: $r"
        done
      done
      ;;
    bits)
      for bits in 16 8 4 3 2; do
        e2e "bits-$bits" 1 400 0.1 "$llama, k: 64, l: 64, bits: $bits"
      done
      e2e bits-1 1 400 0.1 "$llama, k: 64, l: 64, bits: 1"
      for bits in 4 3 2 1; do
        e2e "bits-$bits-qat" 1 400 0.1 "$llama, k: 64, l: 64, bits: $bits, quantizationAware: true"
      done
      ;;
    lora-bits)
      lora="name: lora, targets: all-linear, rank: 1"
      for bits in 16 8 4 3 2; do
        e2e "lora-r1-bits-$bits" 1 400 0.03 "$lora, bits: $bits"
      done
      for bits in 4 3 2; do
        e2e "lora-r1-bits-$bits-qat" 1 400 0.03 "$lora, bits: $bits, quantizationAware: true"
      done
      ;;
    quarter) # a quarter of the bytes of LoRA r=1, with more coefficients of fewer bits than k = l = 64 at 4 bits
      e2e e2e-nola-k128-b2-qat 1 800 0.1 "$llama, k: 128, l: 128, bits: 2, quantizationAware: true"
      e2e e2e-nola-k96-b3-qat 1 800 0.1 "$llama, k: 96, l: 96, bits: 3, quantizationAware: true"
      for seed in 1 2; do
        e2e e2e-nola-r32-k62-b5-qat $seed 800 0.1 \
          "$nola, targets: all-linear, rank: 32, scaling: 1, k: 62, l: 62, bits: 5, quantizationAware: true"
        e2e e2e-lora-r1 $seed 800 0.03 "name: lora, targets: all-linear, rank: 1"
      done
      ;;
    mlp-rates) # NOLA of a weight as it is
      for rate in 0.0125 0.025 0.05 0.1 0.2; do
        mlp "mlp-nola-lr$rate" 1 50 $rate "$nola, view: layer, rank: 4, k: 16, l: 16, bits: 16, scaling: 1.4142135"
        mlp "mlp-pranc-lr$rate" 1 50 $rate "name: pranc, k: 32, bits: 16, scaling: 1.4142135"
      done
      for scaling in 0.5 4 12; do
        mlp "mlp-nola-c$scaling" 1 50 0.05 "$nola, view: layer, rank: 4, k: 16, l: 16, bits: 16, scaling: $scaling"
        mlp "mlp-pranc-c$scaling" 1 50 0.05 "name: pranc, k: 32, bits: 16, scaling: $scaling"
      done
      ;;
    mlp)
      # A weight viewed as nearly square, as in the paper, and as it is. PRANC has no view: at three scalings of its basis.
      for seed in 1 2 3 4; do
        for generator in srht uniform24 rademacher; do
          mlp "mlp-nola-$generator" $seed 200 0.05 "name: nola, generator: philox-$generator, rank: 4, k: 16, l: 16, bits: 16, scaling: 1.4142135"
        done
        mlp mlp-nola-layer $seed 200 0.05 "$nola, view: layer, rank: 4, k: 16, l: 16, bits: 16, scaling: 1.4142135"
        for scaling in 0.5 1.4142135 4; do
          mlp "mlp-pranc-c$scaling" $seed 200 0.05 "name: pranc, generator: philox-srht, k: 32, bits: 16, scaling: $scaling"
        done
      done
      ;;
    wordnet)
      for seed in 1 2; do
        wordnet wn-head $seed 120 0.04 "name: head"
        wordnet wn-lora $seed 120 0.008 "name: lora, targets: qv, rank: 4"
        wordnet wn-nola $seed 120 0.04 "$nola, targets: qv, rank: 4, k: 128, l: 128, bits: 4"
      done
      ;;
    rates)
      for rate in 0.05 0.1 0.2 0.4; do
        for generator in srht uniform8 uniform24 rademacher; do
          for k in 32 1024; do
            e2e "rates-$generator-k$k-lr$rate" 1 60 $rate \
              "name: nola, generator: philox-$generator, targets: all-linear, rank: 32, scaling: 1, k: $k, l: $k, bits: 16"
          done
        done
      done
      ;;
    smollm2-rates)
      for rate in 0.003 0.01 0.03; do
        smollm2 "lora-qv-r1-lr$rate" 1 $rate "name: lora, targets: qv, rank: 1"
        smollm2 "lora-all-r1-lr$rate" 1 $rate "name: lora, targets: all-linear, rank: 1"
      done
      for rate in 0.05 0.1 0.2; do
        smollm2 "nola-k64-lr$rate" 1 $rate "$nola, targets: all-linear, rank: 16, k: 64, l: 64, bits: 4"
      done
      ;;
    smollm2)
      # The rows that answer most come first.
      smol="$nola, targets: all-linear, rank: 16"
      smollm2 nola-k64 1 0.1 "$smol, k: 64, l: 64, bits: 4"
      smollm2 lora-qv-r1 1 0.01 "name: lora, targets: qv, rank: 1"
      smollm2 lora-all-r1 1 0.01 "name: lora, targets: all-linear, rank: 1"
      smollm2 nola-k64-rademacher 1 0.1 \
        "name: nola, generator: philox-rademacher, targets: all-linear, rank: 16, k: 64, l: 64, bits: 4"
      smollm2 nola-k128-b2-qat 1 0.1 "$smol, k: 128, l: 128, bits: 2, quantizationAware: {from: 0.75}"
      for k in 128 32 256; do
        smollm2 "nola-k$k" 1 0.1 "$smol, k: $k, l: $k, bits: 4"
      done
      smollm2 lora-qv-r4 1 0.01 "name: lora, targets: qv, rank: 4"
      ;;
    wordnet-rates)
      for rate in 0.01 0.02 0.04; do
        wordnet "wn-nola-lr$rate" 1 60 $rate "$nola, targets: qv, rank: 4, k: 128, l: 128, bits: 4"
      done
      for rate in 0.0005 0.001 0.002 0.004; do
        wordnet "wn-lora-lr$rate" 1 60 $rate "name: lora, targets: qv, rank: 4"
      done
      for rate in 0.005 0.01 0.02 0.04; do
        wordnet "wn-head-lr$rate" 1 60 $rate "name: head"
      done
      ;;
    *)
      echo "unknown set: $set" >&2
      exit 2
      ;;
  esac
done

export root out
# shellcheck disable=SC2016 # the inner shell expands these
xargs -P "${PARALLEL:-2}" -I{} bash -c '
  run="$out/{}"
  [ -s "$run/result.json" ] && exit 0
  resume=
  [ -e "$run/adapter.nola.run" ] && resume=--resume
  "$root/nola" train "$run/job.yaml" -o "$run/adapter.nola" $resume --quiet --json >"$run/result.part" 2>"$run/log" &&
    mv "$run/result.part" "$run/result.json" && echo "done {}" ||
    { echo "FAILED {}: $(tail -1 "$run/log")" >&2; exit 255; }
' <"$out/.queue"
