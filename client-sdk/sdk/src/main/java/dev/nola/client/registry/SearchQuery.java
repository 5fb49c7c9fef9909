package dev.nola.client.registry;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What adapters to search for. Whatever is not set is no condition.
 *
 * @param text words in name, base model, task, tags and description; also {@code "a phrase"},
 *     {@code or} and {@code -not}
 * @param base name of the base model
 * @param generator such as {@code philox-srht}
 * @param bits the largest width of the codes
 * @param rank the largest of the layers
 * @param tags all of them
 * @param namespace the namespace
 * @param verified whether a worker has attested the latest version's bits
 * @param sort the order; by relevance with a text, else the most recently updated first
 * @param limit items of a page, 1 to 100
 */
public record SearchQuery(
    @Nullable String text,
    @Nullable String base,
    @Nullable String generator,
    @Nullable Integer bits,
    @Nullable Integer rank,
    List<String> tags,
    @Nullable String namespace,
    @Nullable Boolean verified,
    @Nullable Sort sort,
    int limit) {
  private static final int DEFAULT_LIMIT = 20;
  private static final int MAX_LIMIT = 100;

  /** An order. */
  public enum Sort {
    /** How well the text fits; needs one. */
    RELEVANCE,
    /** The most recently updated first. */
    UPDATED,
    /** The most often downloaded first. */
    DOWNLOADS,
    /** By namespace and name. */
    NAME
  }

  /**
   * Copies the tags.
   *
   * @throws IllegalArgumentException if the limit is not legal
   */
  public SearchQuery {
    tags = List.copyOf(tags);
    if (limit < 1 || limit > MAX_LIMIT) {
      throw new IllegalArgumentException("invalid limit: " + limit + "; must be 1 to " + MAX_LIMIT);
    }
  }

  /**
   * Returns a builder of a query without conditions.
   *
   * @return the builder
   */
  public static Builder builder() {
    return new Builder();
  }

  /** Collects conditions. */
  public static final class Builder {
    private @Nullable String text;
    private @Nullable String base;
    private @Nullable String generator;
    private @Nullable Integer bits;
    private @Nullable Integer rank;
    private final List<String> tags = new ArrayList<>();
    private @Nullable String namespace;
    private @Nullable Boolean verified;
    private @Nullable Sort sort;
    private int limit = DEFAULT_LIMIT;

    private Builder() {}

    /**
     * Sets the words to search for; default: any.
     *
     * @param text words, or null for no condition
     * @return this builder
     */
    public Builder text(@Nullable String text) {
      this.text = text;
      return this;
    }

    /**
     * Sets the base model's name; default: any.
     *
     * @param base the name, or null for no condition
     * @return this builder
     */
    public Builder base(@Nullable String base) {
      this.base = base;
      return this;
    }

    /**
     * Sets the generator; default: any.
     *
     * @param generator its name, such as {@code philox-srht}, or null for no condition
     * @return this builder
     */
    public Builder generator(@Nullable String generator) {
      this.generator = generator;
      return this;
    }

    /**
     * Sets the largest width of the codes; default: any.
     *
     * @param bits the width in bits, or null for no condition
     * @return this builder
     */
    public Builder bits(@Nullable Integer bits) {
      this.bits = bits;
      return this;
    }

    /**
     * Sets the largest rank; default: any.
     *
     * @param rank the rank, or null for no condition
     * @return this builder
     */
    public Builder rank(@Nullable Integer rank) {
      this.rank = rank;
      return this;
    }

    /**
     * Adds a tag that the adapters must have.
     *
     * @param tag the tag
     * @return this builder
     */
    public Builder tag(String tag) {
      tags.add(tag);
      return this;
    }

    /**
     * Sets the namespace; default: any.
     *
     * @param namespace the namespace, or null for no condition
     * @return this builder
     */
    public Builder namespace(@Nullable String namespace) {
      this.namespace = namespace;
      return this;
    }

    /**
     * Sets whether the latest version must have been verified by a worker; default: either.
     *
     * @param verified the condition, or null for none
     * @return this builder
     */
    public Builder verified(@Nullable Boolean verified) {
      this.verified = verified;
      return this;
    }

    /**
     * Sets the order; default: by relevance with a text, else the most recently updated first.
     *
     * @param sort the order, or null for the default
     * @return this builder
     */
    public Builder sort(@Nullable Sort sort) {
      this.sort = sort;
      return this;
    }

    /**
     * Sets the number of items per page; default: 20.
     *
     * @param limit 1 to 100
     * @return this builder
     */
    public Builder limit(int limit) {
      this.limit = limit;
      return this;
    }

    /**
     * Returns the query.
     *
     * @return the query
     * @throws IllegalArgumentException if the limit is not legal
     */
    public SearchQuery build() {
      return new SearchQuery(
          text, base, generator, bits, rank, tags, namespace, verified, sort, limit);
    }
  }
}
