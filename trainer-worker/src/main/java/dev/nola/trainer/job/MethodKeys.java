package dev.nola.trainer.job;

import com.google.re2j.Pattern;
import dev.nola.format.DType;
import dev.nola.generator.Generator;
import dev.nola.trainer.method.Method;
import dev.nola.trainer.method.Scaling;
import dev.nola.trainer.method.View;
import java.util.List;
import java.util.Locale;

/** The keys of {@code method}. */
final class MethodKeys {
  private static final KeyTable KEYS = new KeyTable();

  /** Limit of exact sums, and of the transform's columns (SPEC.md, sections 6 and 7.1). */
  private static final String MAX_COEFFICIENTS =
      String.format(
          Locale.ROOT,
          "maximum with method.generator philox-srht: the largest power of two up to the factor's"
              + " number of elements; otherwise what sums exactly at 16 bits: %,d with"
              + " philox-uniform24, %,d with philox-uniform8, any number with philox-rademacher",
          FactorLimits.maxCoefficients(Generator.UNIFORM24),
          FactorLimits.maxCoefficients(Generator.UNIFORM8));

  static final Key<Method> METHOD =
      KEYS.add(Key.required("method.name", Kind.lowerCase(Method.values()), "what is trained"));
  static final Key<Preset> PRESET =
      KEYS.add(
          Key.optional(
                  "method.preset",
                  Kind.lowerCase(Preset.values()),
                  null,
                  "targets, rank, k, l, bits and rounding by the size of the adapter (README.md,"
                      + " Presets); any of these keys takes precedence (default: small)")
              .onlyWith(METHOD, "nola"));
  static final Key<Pattern> TARGETS =
      KEYS.add(
          Key.optional(
                  "method.targets",
                  Kind.patterns(TargetSets.PATTERNS),
                  null,
                  "tensors to adapt: query and value projections, those of the MLP blocks, all that"
                      + " can be adapted, or all whose names match the pattern; with full, of any"
                      + " tensors (default: by method.preset with nola; every tensor with full;"
                      + " otherwise qv)")
              .onlyWith(METHOD, "nola", "pranc", "lora", "full")
              .onlyWith(ModelKeys.BASE));
  static final Key<View> VIEW =
      KEYS.add(
          Key.optional(
                  "method.view",
                  Kind.lowerCase(View.values()),
                  null,
                  "the matrix that a target's ΔW is a product of rank r for: the tensor as it is,"
                      + " out×in, or its elements as nearly square as their number allows, as in"
                      + " the paper, which cannot be exported as a LoRA (default: square"
                      + " without model.base, otherwise layer)")
              .onlyWith(METHOD, "nola", "lora"));
  static final Key<Integer> RANK =
      KEYS.add(
          Key.optional(
                  "method.rank",
                  Kind.whole(1),
                  null,
                  "rank r of each target's ΔW; values above its smaller side add nothing. A factor"
                      + " has r·rows or r·columns elements, at most 2³¹−1, or 2³⁰ with"
                      + " method.generator philox-srht (default: by method.preset with nola; 8 with"
                      + " lora)")
              .onlyWith(METHOD, "nola", "lora"));
  static final Key<Integer> K =
      KEYS.add(
          Key.optional(
                  "method.k",
                  Kind.whole(1),
                  null,
                  "number of coefficients of a target's factor A, which has r·rows elements, or of"
                      + " PRANC's ΔW, which has rows·columns; "
                      + MAX_COEFFICIENTS
                      + " (default: by method.preset with nola; 256 with pranc)")
              .onlyWith(METHOD, "nola", "pranc"));
  static final Key<Integer> L =
      KEYS.add(
          Key.optional(
                  "method.l",
                  Kind.whole(1),
                  null,
                  "number of coefficients of a target's factor B, which has r·columns elements;"
                      + " maximum as for method.k (default: by method.preset)")
              .onlyWith(METHOD, "nola"));
  static final Key<Generator> GENERATOR =
      KEYS.add(
          Key.optional(
                  "method.generator",
                  Kind.choice(Generator.PSEUDORANDOM, Generator::label),
                  Generator.SRHT.label(),
                  "generator of the bases")
              .onlyWith(METHOD, "nola", "pranc"));
  static final Key<Boolean> SHARED_BASIS =
      KEYS.add(
          Key.optional(
                  "method.basis",
                  Kind.choice(List.of(false, true), shared -> shared ? "shared" : "own"),
                  "own",
                  "whether each target has its own basis, or all share one")
              .onlyWith(METHOD, "nola", "pranc"));
  static final Key<Boolean> STORED_BASIS =
      KEYS.add(
          Key.optional(
                  "method.storedBasis",
                  Kind.flag(),
                  false,
                  "whether bases are kept in memory as f32, 4·k bytes per element of a factor,"
                      + " instead of being generated in every step; for comparisons")
              .onlyWith(METHOD, "nola", "pranc"));
  static final Key<Scaling> SCALING =
      KEYS.add(
          Key.optional(
                  "method.scaling",
                  Kind.scaling(),
                  null,
                  "c in the method's formula (README.md, Methods), the alpha of LoRA; {paper: c}"
                      + " takes c, and the learning rate, as the paper's code does, with nola"
                      + " alone (default: 1; 2·rank for LoRA)")
              .onlyWith(METHOD, "nola", "pranc", "lora"));
  static final Key<Integer> BITS =
      KEYS.add(
          Key.optional(
                  "method.bits",
                  Kind.whole(1, Generator.MAX_BITS),
                  null,
                  "bits of a coefficient in the adapter file; LoRA's coefficients are the elements"
                      + " of its factors (default: by method.preset with nola; 8 with pranc; 16 with lora)")
              .onlyWith(METHOD, "nola", "pranc", "lora"));
  static final Key<Double> QUANTIZATION_AWARE =
      KEYS.add(
          Key.optional(
                  "method.quantizationAware",
                  Kind.start(),
                  null,
                  "whether training already rounds the coefficients to method.bits; {from: 0.75}"
                      + " starts after three quarters of the steps (default: by method.preset with"
                      + " nola, otherwise false)")
              .onlyWith(METHOD, "nola", "pranc", "lora"));
  static final Key<Double> DROPOUT =
      KEYS.add(
          Key.optional(
                  "method.dropout",
                  Kind.belowOne(),
                  0.0,
                  "probability that an element of a target's input is dropped in training, for its"
                      + " ΔW alone, as lora_dropout of PEFT")
              .onlyWith(METHOD, "nola", "lora"));
  static final Key<Long> INITIAL_SEED =
      KEYS.add(
          Key.optional(
              "method.initialSeed",
              Kind.seed(),
              null,
              "seed of the initial values and of dropout (default: seed)"));
  static final Key<DType> DENSE_TYPE =
      KEYS.add(
          Key.optional(
              "method.denseType",
              Kind.lowerCase(DType.values()),
              "f16",
              "element type in the adapter file of tensors that are stored whole, such as a"
                  + " classifier"));

  /** All of them, in the order of the documentation. */
  static final List<Key<?>> ALL = KEYS.all();

  private MethodKeys() {}
}
