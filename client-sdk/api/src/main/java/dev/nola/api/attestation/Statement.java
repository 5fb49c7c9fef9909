package dev.nola.api.attestation;

import dev.nola.api.attestation.InvalidAttestationException.Reason;
import dev.nola.digest.Sha256;
import dev.nola.format.Adapter;
import dev.nola.format.AdapterFile;
import dev.nola.format.Coefficients.Direct;
import dev.nola.format.Coefficients.LowRank;
import dev.nola.format.Layer;
import dev.nola.reconstruct.ReconstructionDigest;
import dev.nola.text.Label;
import java.util.List;

/**
 * An in-toto Statement v1 about an adapter file.
 *
 * @param subject SHA-256 of the file
 * @param reconstruction what a machine reconstructed
 */
public record Statement(Sha256 subject, Reconstruction reconstruction) {
  /** Type of an envelope's payload. */
  public static final String PAYLOAD_TYPE = "application/vnd.in-toto+json";

  /** Type of a statement's predicate. */
  public static final String PREDICATE_TYPE = "urn:nola:predicate:reconstruction:v1";

  /**
   * Checks the reconstruction.
   *
   * @throws IllegalArgumentException if a value breaks a rule of {@link Reconstruction}
   */
  public Statement {
    ReconstructionRules.require(reconstruction);
  }

  /**
   * Writes the statement as JSON; equal statements give equal bytes.
   *
   * @return JSON in UTF-8
   */
  public byte[] toJson() {
    return StatementJson.write(this);
  }

  /**
   * Parses a statement.
   *
   * @param json JSON in UTF-8
   * @return the statement
   * @throws InvalidAttestationException if it is anything else than a statement of this kind
   */
  public static Statement parse(byte[] json) throws InvalidAttestationException {
    return StatementJson.read(json);
  }

  /**
   * Checks that the statement is about this file and that its digests fit the file and its outcome:
   * one leaf for each layer and dense tensor, which give the root; the file's root if it matches,
   * another if it does not, and then a difference, if it names one, within the file.
   *
   * @param digest digest of the file
   * @param file the file
   * @throws InvalidAttestationException if the statement is about another file or does not fit it
   */
  public void requireAbout(Sha256 digest, AdapterFile file) throws InvalidAttestationException {
    if (!subject.equals(digest)) {
      throw new InvalidAttestationException(
          Reason.WRONG_SUBJECT,
          "wrong subject: the statement is about %s, not %s".formatted(subject, digest));
    }
    Adapter adapter = file.adapter();
    int layers = adapter.layers().size();
    int leaves = layers + adapter.dense().size();
    if (reconstruction.leaves().size() != leaves) {
      throw wrongRoot(
          "the statement has %d leaves, but the file has %d"
              .formatted(reconstruction.leaves().size(), leaves));
    }
    List<Sha256> digests = reconstruction.leaves();
    Sha256 root =
        ReconstructionDigest.of(digests.subList(0, layers), digests.subList(layers, leaves)).root();
    if (!root.equals(reconstruction.root())) {
      throw wrongRoot(
          "root=%s, but its leaves give %s".formatted(reconstruction.root().hex(), root.hex()));
    }
    boolean match = root.equals(file.reconstructionDigest());
    if (match != (reconstruction.outcome() == Outcome.MATCH)) {
      throw wrongRoot(
          "the outcome is %s, but the root is %s and the file has %s"
              .formatted(
                  Label.of(reconstruction.outcome()),
                  root.hex(),
                  file.reconstructionDigest().hex()));
    }
    Difference difference = reconstruction.difference();
    if (difference != null && !isWithin(adapter, difference)) {
      throw invalid(
          "difference at element %d of factor %s of tensor %s, which the file does not have"
              .formatted(difference.index(), difference.side(), difference.tensor()));
    }
  }

  /**
   * Checks that the author of the statement reconstructed the file. Only for a match: bits that
   * differ cannot be recomputed elsewhere.
   *
   * @param proof made from the file with this statement's nonce
   * @throws InvalidAttestationException if the author did not
   */
  public void requireProof(Proof proof) throws InvalidAttestationException {
    List<Sha256> leaves = proof.leaves();
    for (int i = 0; i < leaves.size(); i++) {
      if (!leaves.get(i).equals(reconstruction.leaves().get(i))) {
        throw wrongRoot(
            "leaf %d is %s; must be %s"
                .formatted(i, reconstruction.leaves().get(i).hex(), leaves.get(i).hex()));
      }
    }
    if (!proof.proof().equals(reconstruction.proof())) {
      throw new InvalidAttestationException(
          Reason.WRONG_PROOF,
          "proof=%s is not the digest of nonce %s and the factors: it was copied, or made from other factors"
              .formatted(reconstruction.proof().hex(), reconstruction.nonce()));
    }
  }

  private static boolean isWithin(Adapter adapter, Difference difference) {
    return adapter.layers().stream()
        .filter(layer -> layer.tensor().equals(difference.tensor()))
        .anyMatch(layer -> difference.index() < elements(layer, difference.side()));
  }

  private static long elements(Layer layer, String side) {
    long rank =
        switch (layer.coefficients()) {
          case Direct _ -> side.equals("A") ? layer.cols() : 0;
          case LowRank lowRank -> lowRank.rank();
        };
    return rank * (side.equals("A") ? layer.rows() : layer.cols());
  }

  private static InvalidAttestationException invalid(String message) {
    return new InvalidAttestationException(Reason.INVALID_STATEMENT, message);
  }

  private static InvalidAttestationException wrongRoot(String message) {
    return new InvalidAttestationException(Reason.WRONG_ROOT, message);
  }
}
